"""Read a DICOM radiograph: CR, DX, and secondary captures of radiographs."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from cxr_common.data.contrast import warn_of_contrast
from cxr_common.data.dicom_description import describe_pixels, photometric_interpretation
from cxr_common.data.dicom_elements import integer, items, numbers, text
from cxr_common.data.dicom_file import read_dataset
from cxr_common.data.dicom_float import float_element, read_float_pixels
from cxr_common.data.dicom_grey import Range, grey_pixels, padding_mask
from cxr_common.data.dicom_lut import palette_to_rgb
from cxr_common.data.dicom_pixels import decode_pixels
from cxr_common.data.dicom_words import describes_other_view, is_chest, is_other_view, other_part
from cxr_common.data.grey_levels import levels_of
from cxr_common.data.grey_range import believed_range
from cxr_common.data.intensity import grey_or_colour, scale_by_range
from cxr_common.data.orientation import IDENTITY, code_from_directions
from cxr_common.data.pydicom_compat import HAS_PYDICOM, Dataset, syntax_name, transfer_syntax
from cxr_common.data.scan import RadiographWarning, Scan, valid_spacing
from cxr_common.errors import InputError

#: Projection radiography, and what captures and conversions of it call themselves. DR and SC are not in the standard.
MODALITIES = ("CR", "DX", "DR", "RG", "RF", "OT", "SC", "HC")
#: Most trustworthy first: at the patient (calibrated), at the detector, of the scanned film.
SPACING_FIELDS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
_FOR_PROCESSING_CLASS = "1.2.840.10008.5.1.4.1.1.1.1.1"
_DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
_GIVE_FRONTAL = "give a frontal (PA or AP) view"


def read_dicom(path: Path, channels: int = 1, any_view: bool = False) -> Scan:
    """Read a single-frame projection radiograph.

    Args:
        path: the file; it may lack the preamble and the file meta information.
        channels: 1 for grey, where colour is refused, or 3.
        any_view: whether to accept lateral and oblique views.

    Raises:
        InputError: it is not a radiograph, not for presentation, not frontal, has several frames, is in colour, or its
            pixels are missing, damaged, cut off, or of an encoding without an installed decoder.
    """
    if not HAS_PYDICOM:
        raise InputError("reading DICOM needs pydicom", path, "pip install pydicom 'pylibjpeg[all]' pyjpegls")
    dataset = read_dataset(path)
    _refuse_other_objects(dataset, path)
    if not any_view:
        refuse_other_views(dataset, path)
    stored_axes = stored_axes_of(dataset, path, any_view)
    padding = None
    if float_element(dataset):
        pixels, used = read_float_pixels(dataset, path)
        source = "percentile"
    else:
        pixels, source, used, padding = _integer_pixels(dataset, channels, path)
    if channels == 3 and pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    warn_of_contrast(pixels, padding)
    spacing, spacing_source = spacing_of(dataset)
    return Scan(str(path), "DICOM", pixels, source, used, spacing, spacing_source, stored_axes, _text(dataset))


def _integer_pixels(dataset: Dataset, channels: int, path: Path) -> tuple[np.ndarray, str, Range, np.ndarray | None]:
    """PixelData in [0, 1], what their scale rests on, its ends, and which pixels are padding."""
    description = describe_pixels(dataset, transfer_syntax(dataset), path)
    raw, description = decode_pixels(dataset, description, path)
    if description.samples == 3:
        declared = (0.0, max(description.stored_range[1], 255.0 if description.bits_stored < 8 else 1.0))
        low, high, rule = believed_range(levels_of(raw), *declared)
        pixels = grey_or_colour(scale_by_range(raw, low, high), channels, path)
        return pixels, rule or "bits stored", (low, high), None
    if description.photometric == "PALETTE COLOR":
        return grey_or_colour(palette_to_rgb(raw, dataset, path), channels, path), "palette", (0.0, 1.0), None
    padding = padding_mask(raw, dataset, description.signed)
    return *grey_pixels(raw, dataset, description, padding, path), padding


def _refuse_other_objects(dataset: Dataset, path: Path) -> None:
    """Refuse what is not one radiograph for presentation."""
    sop_class = text(dataset, "SOPClassUID")
    media_class = text(dataset.file_meta, "MediaStorageSOPClassUID")
    if "DirectoryRecordSequence" in dataset or media_class == _DICOMDIR_CLASS:
        raise InputError("this is a DICOMDIR, an index of other files", path, "give the image files")
    if not len(dataset):
        # pydicom drops everything where the end of compressed pixel data is missing.
        raise InputError("the DICOM file is cut off or has no content", path, "copy or export it again")
    modality = text(dataset, "Modality").upper().split("\\")[0]  # one is allowed, some write more
    if not float_element(dataset) and ("PixelData" not in dataset or not dataset["PixelData"].value):
        kind = syntax_name(sop_class) if sop_class else modality or "object of unknown kind"
        raise InputError(f"there are no pixel data ({kind})", path, "give an image, not a report or another object")
    if modality not in MODALITIES:
        if modality:
            raise InputError(f"modality {modality} is not radiography", path, "give a chest radiograph (CR or DX)")
        warnings.warn("Modality is missing", RadiographWarning, stacklevel=2)
    intent = text(dataset, "PresentationIntentType").upper()
    if intent == "FOR PROCESSING" or sop_class == _FOR_PROCESSING_CLASS:
        reason = "this is the detector's raw image (FOR PROCESSING), which is not made to be looked at"
        raise InputError(reason, path, "give the FOR PRESENTATION image of the same exposure")
    frames = integer(dataset, "NumberOfFrames") or 1
    if frames > 1:
        raise InputError(f"the image has {frames} frames", path, "give a single-frame radiograph")
    _warn_of_other_part(dataset)


def _warn_of_other_part(dataset: Dataset) -> None:
    """Warn of a body part that is not the chest, by its own field, else by the descriptions."""
    body_part = text(dataset, "BodyPartExamined").upper()
    if body_part and not is_chest(body_part):
        warnings.warn(f"BodyPartExamined is {body_part}, not the chest", RadiographWarning, stacklevel=2)
    if not body_part and (part := other_part(_description(dataset))):
        warnings.warn(f"the series' description names {part}, not the chest", RadiographWarning, stacklevel=2)


def refuse_other_views(dataset: Dataset, path: Path) -> None:
    """Refuse lateral, oblique and decubitus views, by the most specific field that tells."""
    view = _view(dataset)
    other = is_other_view(view)
    if not view:
        view = _description(dataset)
        other = describes_other_view(view)
    if other:
        raise InputError(f"this is not a frontal view ({view})", path, _GIVE_FRONTAL)


def _description(dataset: Dataset) -> str:
    """What the series and its protocol are called, in capitals."""
    return f"{text(dataset, 'SeriesDescription')} {text(dataset, 'ProtocolName')}".upper().replace("_", " ").strip()


def _view(dataset: Dataset) -> str:
    """ViewPosition, else the meaning of the view code, in capitals."""
    view = text(dataset, "ViewPosition").upper()
    if not view:
        view = " ".join(text(item, "CodeMeaning") for item in items(dataset, "ViewCodeSequence")[:1]).upper()
    return view


def stored_axes_of(dataset: Dataset, path: Path, any_view: bool) -> str:
    """How the upright image lies in the stored one, by PatientOrientation (PS3.3 C.7.6.1.1.1)."""
    given = text(dataset, "PatientOrientation").upper().split("\\")
    letters = "".join(part[:1] for part in given)  # of a tilted direction (LF) the first letter is the main one
    if len(letters) != 2 or len(given) != 2 or not set(letters) <= set("LRAPHF"):
        if letters:
            shown = "\\".join(given)
            warnings.warn(f"PatientOrientation {shown} is invalid and is ignored", RadiographWarning, stacklevel=2)
        return IDENTITY
    try:
        return code_from_directions(letters, "LF")
    except ValueError as error:
        if any_view:
            return IDENTITY
        shown = "\\".join(given)
        raise InputError(f"this is not a frontal view (PatientOrientation {shown})", path, _GIVE_FRONTAL) from error


def spacing_of(dataset: Dataset) -> tuple[tuple[float, float] | None, str]:
    """(column mm, row mm) and the field it is from; DICOM has the row spacing first."""
    for keyword in SPACING_FIELDS:
        values = numbers(dataset, keyword)
        if len(values) == 2:
            spacing = valid_spacing(values[1], values[0], keyword)
            if spacing:
                return spacing, keyword
        elif values:
            reason = f"{keyword} should have 2 values and has {len(values)}, it is ignored"
            warnings.warn(reason, RadiographWarning, stacklevel=2)
    return None, ""


def _text(dataset: Dataset) -> dict[str, str]:
    return {
        "modality": text(dataset, "Modality"),
        "view": _view(dataset),
        "patient_orientation": text(dataset, "PatientOrientation"),
        "patient_id": text(dataset, "PatientID"),
        "study_instance_uid": text(dataset, "StudyInstanceUID"),
        "series_instance_uid": text(dataset, "SeriesInstanceUID"),
        "sop_instance_uid": text(dataset, "SOPInstanceUID"),
        "sop_class_uid": text(dataset, "SOPClassUID"),
        "photometric_interpretation": photometric_interpretation(dataset),
        "transfer_syntax_uid": transfer_syntax(dataset),
    }
