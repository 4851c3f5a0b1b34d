"""Masks as a DICOM Segmentation: a segment a finding, in the pixels of the source."""

from __future__ import annotations

import numpy as np
from highdicom import PixelMeasuresSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from pydicom.dataset import Dataset

from cxr_common.dicom_results.equipment import AT_DETECTOR, UNVERIFIED, algorithm, code, finish, series_arguments
from cxr_common.dicom_results.finding_codes import CATEGORY, CHEST, finding_code
from cxr_common.dicom_results.image_result import Finding, ImageResult
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import NoResult, SourceImage
from cxr_common.dicom_results.text_values import fitting

KIND = "dicom_seg"


def make_seg(result: ImageResult, source: SourceImage, uids: ResultUids) -> Dataset:
    """Make a binary Segmentation of the findings that are present and have a mask.

    Raises:
        NoResult: there is none.
    """
    masked = [finding for finding in result.findings if finding.mask is not None and np.any(finding.mask)]
    if not masked:
        raise NoResult("no finding that is present has a mask, so there is no segmentation")
    pixels = np.stack([source.mask(finding.mask) for finding in masked], axis=-1)[None]  # type: ignore[arg-type]
    seg = Segmentation(
        source_images=[source.reference],
        pixel_array=pixels,
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(n, finding, result, source, uids) for n, finding in enumerate(masked, 1)],
        pixel_measures=_measures(source),
        content_label="AI_FINDINGS",
        content_description=fitting(UNVERIFIED, source.character_set),
        omit_empty_frames=False,
        **series_arguments(KIND, source, result.model, uids),
    )
    # Type 2C, which highdicom leaves out: without a frame of reference the source's own words are all there is.
    seg.PatientOrientation = source.dataset.get("PatientOrientation") or None
    seg.BodyPartExamined = "CHEST"
    if source.at_detector:
        # Equal to PixelSpacing, it says that this is not corrected for magnification (PS3.3 10.7.1.3).
        seg.ImagerPixelSpacing = _rows_first(source)
        seg.ImageComments = AT_DETECTOR
    return finish(seg, source)


def _rows_first(source: SourceImage) -> list[float]:
    assert source.spacing is not None
    return [source.spacing[1], source.spacing[0]]


def _measures(source: SourceImage) -> PixelMeasuresSequence | None:
    if source.spacing is None:
        return None
    return PixelMeasuresSequence(pixel_spacing=_rows_first(source), slice_thickness=1.0)


def _segment(
    number: int, finding: Finding, result: ImageResult, source: SourceImage, uids: ResultUids
) -> SegmentDescription:
    return SegmentDescription(
        segment_number=number,
        segment_label=fitting(finding.label, source.character_set),
        segmented_property_category=code(CATEGORY),
        segmented_property_type=code(finding_code(fitting(finding.label, source.character_set))),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=algorithm(result.model, source),
        tracking_uid=uids.part(KIND, source.reference.SOPInstanceUID, finding.label),
        tracking_id=fitting(finding.label, source.character_set),
        anatomic_regions=[code(CHEST)],
        display_color=CIELabColor.from_rgb(*finding.colour),
    )
