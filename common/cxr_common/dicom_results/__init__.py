"""Results as DICOM objects that a PACS keeps beside the radiograph: SEG, SR, GSPS and a secondary capture.

Needs highdicom (``pip install "cxr-bundles[dicom]"``), which is imported only when an object is made. What goes in is
:class:`ImageResult`; nothing here knows findings.json.
"""

from cxr_common.dicom_results.dicom_options import DicomOptions
from cxr_common.dicom_results.image_result import Finding, ImageResult, Model, Region
from cxr_common.dicom_results.objects import KINDS, make_object, possible_kinds, require_highdicom
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import NoResult, SourceImage, read_source

__all__ = [
    "KINDS",
    "DicomOptions",
    "Finding",
    "ImageResult",
    "Model",
    "NoResult",
    "Region",
    "ResultUids",
    "SourceImage",
    "make_object",
    "possible_kinds",
    "read_source",
    "require_highdicom",
]
