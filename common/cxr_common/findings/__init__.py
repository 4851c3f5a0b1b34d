"""Heatmap to findings: extraction, thresholds, overlay, and the files that a run writes."""

from typing import TYPE_CHECKING

from cxr_common.findings.extraction import Region, extract_mask, peak_point
from cxr_common.findings.heatmap_file import Heatmap, load_heatmap, save_heatmap
from cxr_common.findings.run_record import read_findings
from cxr_common.findings.thresholds import BoxThresholds, ClassThresholds, Thresholds
from cxr_common.findings.thresholds_file import (
    load_map_thresholds,
    load_thresholds,
    save_thresholds,
    thresholds_beside,
)
from cxr_common.findings.walk import CHEXSEG, WSMIS, Walk
from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.findings.case import Case, RunModel
    from cxr_common.findings.case_writer import CaseWriter, NotForThisImageError, RunWriter
    from cxr_common.findings.findings_writer import FindingsWriter
    from cxr_common.findings.nifti_file import save_mask
    from cxr_common.findings.overlay import render_overlay
    from cxr_common.findings.writers.mask_files import NiftiMasks, PngMasks

__all__ = [
    "BoxThresholds",
    "CHEXSEG",
    "Case",
    "CaseWriter",
    "ClassThresholds",
    "FindingsWriter",
    "Heatmap",
    "NiftiMasks",
    "NotForThisImageError",
    "PngMasks",
    "Region",
    "RunModel",
    "RunWriter",
    "Thresholds",
    "WSMIS",
    "Walk",
    "extract_mask",
    "load_heatmap",
    "load_map_thresholds",
    "load_thresholds",
    "peak_point",
    "read_findings",
    "render_overlay",
    "save_heatmap",
    "save_mask",
    "save_thresholds",
    "thresholds_beside",
]

# Post-processing needs neither nibabel nor ignite, so MONAI Label and Deploy may lack them.
__getattr__ = lazy_attributes(
    __name__,
    {
        "Case": "case",
        "CaseWriter": "case_writer",
        "FindingsWriter": "findings_writer",
        "NiftiMasks": "writers.mask_files",
        "NotForThisImageError": "case_writer",
        "PngMasks": "writers.mask_files",
        "RunModel": "case",
        "RunWriter": "case_writer",
        "render_overlay": "overlay",
        "save_mask": "nifti_file",
    },
)
