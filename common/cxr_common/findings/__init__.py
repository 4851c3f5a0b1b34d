"""Heatmap to findings: extraction, thresholds, overlay and the files a run writes."""

from typing import TYPE_CHECKING

from cxr_common.findings.extraction import Region, extract_mask, peak_point
from cxr_common.findings.heatmap_file import Heatmap, load_heatmap, save_heatmap
from cxr_common.findings.localized import attach_heatmaps, items_to_refine, localized_items
from cxr_common.findings.run_record import read_findings
from cxr_common.findings.thresholds import Thresholds, load_thresholds, save_thresholds, thresholds_beside
from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.findings.detection_writer import CocoBoxes, DetectionWriter
    from cxr_common.findings.localizer_bundle import LocalizerBundle
    from cxr_common.findings.mask_writers import MaskWriter, NiftiMasks, PngMasks
    from cxr_common.findings.nifti import save_mask
    from cxr_common.findings.overlay import render_overlay
    from cxr_common.findings.refinement_writer import RefinementWriter
    from cxr_common.findings.writer import FindingsWriter

__all__ = [
    "CocoBoxes",
    "DetectionWriter",
    "FindingsWriter",
    "Heatmap",
    "LocalizerBundle",
    "MaskWriter",
    "NiftiMasks",
    "PngMasks",
    "RefinementWriter",
    "Region",
    "Thresholds",
    "attach_heatmaps",
    "extract_mask",
    "items_to_refine",
    "load_heatmap",
    "load_thresholds",
    "localized_items",
    "peak_point",
    "read_findings",
    "render_overlay",
    "save_heatmap",
    "save_mask",
    "save_thresholds",
    "thresholds_beside",
]


# Post-processing needs neither nibabel nor ignite, so MONAI Label and Deploy may lack them.
_LAZY = {
    "CocoBoxes": "detection_writer",
    "DetectionWriter": "detection_writer",
    "FindingsWriter": "writer",
    "LocalizerBundle": "localizer_bundle",
    "MaskWriter": "mask_writers",
    "NiftiMasks": "mask_writers",
    "PngMasks": "mask_writers",
    "RefinementWriter": "refinement_writer",
    "render_overlay": "overlay",
    "save_mask": "nifti",
}
__getattr__ = lazy_attributes(__name__, _LAZY)
