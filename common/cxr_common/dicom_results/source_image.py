"""The radiograph that results refer to: what its DICOM file says, without its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.axes import tensor_to_picture
from cxr_common.data.collected_warnings import ignored_warnings
from cxr_common.data.dicom import spacing_of, stored_axes_of
from cxr_common.data.dicom_elements import integer, numbers, text
from cxr_common.data.dicom_file import read_dataset
from cxr_common.data.formats import sniff_format
from cxr_common.data.orientation import boxes_to_stored, to_stored
from cxr_common.data.pydicom_compat import UID, Dataset
from cxr_common.dicom_results.image_result import Box

_IDENTIFIERS = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
#: What a presentation state takes over: how stored values become grey.
_GREY = (
    *("RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence"),
    *("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction", "VOILUTSequence"),
)


class NoResult(Exception):
    """A DICOM object cannot be made; the text is one sentence on why."""


@dataclass(frozen=True)
class SourceImage:
    """A DICOM radiograph that results can refer to.

    Attributes:
        dataset: all elements that can be read, without pixels.
        raw: the elements as the bytes of the file.
        reference: a dataset of what results need to refer to the image, all of it valid, nobody's identity in it.
        stored_axes: how the upright picture lies in the stored one, see `cxr_common.data.orientation`.
        spacing: (column mm, row mm) of the stored picture, None where unknown.
        spacing_source: the element that the spacing is from.
    """

    dataset: Dataset
    raw: Mapping[Any, Any]
    reference: Dataset
    stored_axes: str
    spacing: tuple[float, float] | None
    spacing_source: str

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the upright picture."""
        columns, rows = self.reference.Columns, self.reference.Rows
        return (rows, columns) if self.stored_axes[1] == "y" else (columns, rows)

    @property
    def upright_spacing(self) -> tuple[float, float] | None:
        """(column mm, row mm) of the upright picture."""
        return self.spacing[::-1] if self.spacing and self.stored_axes[1] == "y" else self.spacing

    @property
    def at_detector(self) -> bool:
        """Whether the spacing holds at the detector, where things are a little larger than in the patient."""
        return self.spacing_source == "ImagerPixelSpacing"

    @property
    def character_set(self) -> Any:
        """SpecificCharacterSet, None where there is none."""
        return self.dataset.get("SpecificCharacterSet")

    def mask(self, mask: np.ndarray) -> np.ndarray:
        """A mask (width, height) of the upright picture as bool (rows, columns) of the stored one."""
        return np.ascontiguousarray(tensor_to_picture(to_stored(np.asarray(mask) != 0, self.stored_axes)))

    def box(self, box: Box) -> tuple[float, float, float, float]:
        """A box of the upright picture in coordinates of the stored one."""
        stored = boxes_to_stored(np.asarray([box], np.float64), self.size, self.stored_axes)[0]
        return tuple(float(value) for value in stored)  # type: ignore[return-value]

    def point(self, point: tuple[float, float]) -> tuple[float, float]:
        """A point of the upright picture in coordinates of the stored one."""
        return self.box((*point, *point))[:2]


def read_source(path: Path) -> SourceImage:
    """Read what results need to refer to a radiograph. The file is only read.

    Args:
        path: a file that :class:`~cxr_common.data.RadiographReader` takes.

    Raises:
        NoResult: it is not a DICOM file, or lacks what others could refer to it by.
        InputError: it cannot be opened.
    """
    if sniff_format(path) != "dicom":
        raise NoResult("the image is not a DICOM file, so there is no study that DICOM results could join")
    dataset = read_dataset(path)
    for keyword in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"):
        dataset.pop(keyword, None)
    from cxr_common.dicom_results.patient_study import raw_elements  # of pydicom 3, as highdicom is

    raw = raw_elements(dataset)
    missing = [keyword for keyword in _IDENTIFIERS if not UID(text(dataset, keyword)).is_valid]
    if missing:
        raise NoResult(f"the DICOM file has no valid {' and '.join(missing)}, so nothing can refer to it")
    if not (integer(dataset, "Rows") or 0) > 0 < (integer(dataset, "Columns") or 0):
        raise NoResult("the DICOM file does not say how many rows and columns it has")
    with ignored_warnings():  # told when the image was loaded
        readable = _readable(dataset)
        axes = stored_axes_of(readable, path, any_view=True)
        spacing, spacing_source = spacing_of(readable)
        return SourceImage(readable, raw, _reference(readable), axes, spacing, spacing_source)


def _readable(dataset: Dataset) -> Dataset:
    """The elements whose values can be read."""
    readable = Dataset()
    for tag in list(dataset.keys()):
        try:
            readable.add(dataset[tag])
        except Exception:  # pydicom converts on access, and raises what the conversion raises
            continue
    return readable


def _reference(dataset: Dataset) -> Dataset:
    reference = Dataset()
    for keyword in _IDENTIFIERS:
        setattr(reference, keyword, UID(text(dataset, keyword)))
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"):
        setattr(reference, keyword, "")
    reference.StudyDate = reference.StudyTime = None
    reference.Modality = text(dataset, "Modality") or "OT"
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
        setattr(reference, keyword, integer(dataset, keyword) or 0)
    reference.SamplesPerPixel = integer(dataset, "SamplesPerPixel") or 1
    reference.PhotometricInterpretation = text(dataset, "PhotometricInterpretation").upper()
    for keyword in _GREY:
        if keyword in dataset and dataset[keyword].value not in (None, ""):
            reference[keyword] = deepcopy(dataset[keyword])
    widths = numbers(dataset, "WindowWidth")
    if not widths or min(widths) < 1 or len(widths) != len(numbers(dataset, "WindowCenter")):
        for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction"):
            reference.pop(keyword, None)
    return reference
