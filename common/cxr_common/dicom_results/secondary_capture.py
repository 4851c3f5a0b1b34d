"""The radiograph with the findings drawn in, as a colour Secondary Capture for viewers that show no other kind."""

from __future__ import annotations

import numpy as np
from highdicom.sc import ConversionTypeValues, SCImage
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from cxr_common.dicom_results.equipment import AT_DETECTOR, LIMITS, finish, series_arguments
from cxr_common.dicom_results.image_result import ImageResult
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import NoResult, SourceImage

KIND = "dicom_sc"


def make_secondary_capture(result: ImageResult, source: SourceImage, uids: ResultUids) -> Dataset:
    """Make a picture of :attr:`ImageResult.picture`, upright, marked as one with burned-in annotation.

    Raises:
        NoResult: there is no such picture.
    """
    if result.picture is None:
        raise NoResult("no picture was drawn, so there is no secondary capture")
    pixels = np.ascontiguousarray(result.picture, np.uint8)
    capture = SCImage(
        pixel_array=pixels,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        study_instance_uid=source.reference.StudyInstanceUID,
        patient_id="",
        patient_name="",
        patient_birth_date="",
        **series_arguments(KIND, source, result.model, uids),
    )
    capture.ConversionType = ConversionTypeValues.WSD.value
    capture.BurnedInAnnotation = "YES"
    capture.BodyPartExamined = "CHEST"
    capture.DerivationDescription = "Findings of a model drawn into the radiograph"
    capture.ImageComments = LIMITS
    capture.SourceImageSequence = [_reference(source)]
    if source.upright_spacing is not None:
        _set_spacing(capture, result, source, pixels.shape)
    return finish(capture, source)


def _reference(source: SourceImage) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = source.reference.SOPClassUID
    item.ReferencedSOPInstanceUID = source.reference.SOPInstanceUID
    purpose = Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning = (
        codes.DCM.SourceImageForImageProcessingOperation[:3]
    )
    item.PurposeOfReferenceCodeSequence = [purpose]
    return item


def _set_spacing(capture: Dataset, result: ImageResult, source: SourceImage, shape: tuple[int, ...]) -> None:
    """The picture may be smaller or larger than the radiograph, so its pixels are too."""
    assert source.upright_spacing is not None
    column, row = source.upright_spacing
    spacing = [row * result.size[1] / shape[0], column * result.size[0] / shape[1]]
    capture.PixelSpacing = [f"{value:.8g}" for value in spacing]
    if source.at_detector:
        # Equal to PixelSpacing, it says that this is not corrected for magnification (PS3.3 10.7.1.3).
        capture.ImagerPixelSpacing = capture.PixelSpacing
        capture.ImageComments = f"{LIMITS} {AT_DETECTOR}"
