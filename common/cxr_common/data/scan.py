"""What every format's reader hands over: one radiograph as it is stored, scaled, with what is known of it."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, field

import numpy as np

from cxr_common.data.orientation import IDENTITY

#: Text metadata that writers need; "" where a format does not tell.
TEXT_KEYS = (
    "modality",
    "view",
    "patient_orientation",
    "patient_id",
    "study_instance_uid",
    "series_instance_uid",
    "sop_instance_uid",
    "sop_class_uid",
    "photometric_interpretation",
    "transfer_syntax_uid",
)
#: Detectors have 0.05 to 0.4 mm, a radiograph reduced to 64 pixels about 7 mm; beyond this it is a mistake.
SPACING_RANGE = (0.01, 10.0)


class RadiographWarning(UserWarning):
    """Something about a radiograph is doubtful, and it was read all the same."""


@dataclass
class Scan:
    """One radiograph in the geometry of its file.

    Attributes:
        path: the file.
        file_format: "DICOM", "PNG", "JPEG", "TIFF", "NIfTI", "MetaImage" or "NRRD".
        pixels: float32 picture (rows, columns) or, in colour, (rows, columns, 3), in [0, 1], bright = dense.
        intensity_source: what the scaling rests on: "window", "voi lut", "bits stored", "palette", "dtype",
            "used depth" or "percentile" (docs/reference/grey.md).
        intensity_range: the values that became 0 and 1, after the modality LUT; NaN where there is no such pair.
        spacing: (column mm, row mm) of the stored picture, or None.
        spacing_source: the field that the spacing is from, "" if unknown.
        stored_axes: how the upright tensor lies in the stored picture, see `orientation`.
        text: metadata by the names of `TEXT_KEYS`.
        warnings: what was doubtful, one line each.
    """

    path: str
    file_format: str
    pixels: np.ndarray
    intensity_source: str
    intensity_range: tuple[float, float] = (math.nan, math.nan)
    spacing: tuple[float, float] | None = None
    spacing_source: str = ""
    stored_axes: str = IDENTITY
    text: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def valid_spacing(column: float, row: float, source: str) -> tuple[float, float] | None:
    """Check a spacing; warn and return None where it cannot be true.

    Args:
        column: distance of neighbouring columns, mm.
        row: distance of neighbouring rows, mm.
        source: the field it was read from, for the warning.
    """
    low, high = SPACING_RANGE
    if low <= column <= high and low <= row <= high and 0.2 <= column / row <= 5:
        return float(column), float(row)
    warnings.warn(
        f"{source} of {column:g} x {row:g} mm cannot be true, the spacing is unknown", RadiographWarning, stacklevel=2
    )
    return None
