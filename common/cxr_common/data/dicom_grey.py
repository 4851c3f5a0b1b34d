"""The DICOM greyscale pipeline: modality LUT, VOI LUT or window, polarity (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

import numpy as np

from cxr_common.data.contrast import fault_of_scale
from cxr_common.data.dicom_description import PixelDescription
from cxr_common.data.dicom_elements import integer, numbers, text
from cxr_common.data.dicom_lut import first_table
from cxr_common.data.grey_levels import Levels, levels_of
from cxr_common.data.grey_range import believed_range
from cxr_common.data.intensity import scale_by_range
from cxr_common.data.pydicom_compat import Dataset, apply_windowing
from cxr_common.data.scan import RadiographWarning
from cxr_common.data.stored_values import stored_values
from cxr_common.errors import InputError

Range = tuple[float, float]


def grey_pixels(
    raw: np.ndarray, dataset: Dataset, description: PixelDescription, padding: np.ndarray | None, path: Path
) -> tuple[np.ndarray, str, Range]:
    """Map decoded pixels to [0, 1], bright = dense.

    Args:
        raw: (rows, columns), with whatever the unused high bits hold.
        dataset: what holds the Modality LUT and VOI LUT modules.
        description: of the pixels.
        padding: bool (rows, columns), which become 0 and do not count; None for none.
        path: the file, for the error.

    Returns:
        float32 (rows, columns); what the scale rests on ("voi lut", "window", "bits stored", or the rule by which
        `grey_range.believed_range` replaced the latter); and the values after the modality LUT that became 0 and 1
        before the inversion (NaN for a sigmoid).

    Raises:
        InputError: the values after the modality LUT are not finite, or not to be told from each other.
    """
    values, stored_range = stored_values(raw, description)
    # Grey depends only on the stored value, so it is computed once per value, not once per pixel.
    levels = levels_of(values, padding)
    grey, source, used = _display(levels, dataset, stored_range, path)
    grey = grey.astype(np.float32)
    pixels = (1 - grey if _is_inverse(dataset, description) else grey)[levels.index(values)]
    if padding is not None:
        pixels[padding] = 0
    return pixels, source, used


def _is_inverse(dataset: Dataset, description: PixelDescription) -> bool:
    """Whether the smallest value is white: the photometric interpretation decides (PS3.3 C.8.11.3)."""
    inverse = description.photometric == "MONOCHROME1"
    shape = text(dataset, "PresentationLUTShape").upper()
    if shape == ("IDENTITY" if inverse else "INVERSE"):
        reason = f"PresentationLUTShape {shape} contradicts {description.photometric} and is ignored"
        warnings.warn(reason, RadiographWarning, stacklevel=2)
    return inverse


def _display(levels: Levels, dataset: Dataset, stored_range: Range, path: Path) -> tuple[np.ndarray, str, Range]:
    """What each level is displayed as, before the inversion."""
    table = first_table(dataset, "ModalityLUTSequence")
    slope, intercept = _rescale(dataset) if table is None else (1.0, 0.0)
    with np.errstate(over="ignore", invalid="ignore"):  # it is refused below
        modality = levels.through(levels.values * slope + intercept if table is None else table(levels.values))
        ends = np.array(stored_range) * slope + intercept
        finite = np.isfinite(modality.values).all() and 0 < abs(ends[1] - ends[0]) < np.inf
    if not finite:
        fault = "are not finite" if ends[0] != ends[1] else "are all alike"
        reason = f"the grey values {fault} (RescaleSlope {slope:g}, RescaleIntercept {intercept:g})"
        raise InputError(reason, path, "export the file again")
    declared = (0.0, table.largest) if table else (min(ends), max(ends))  # a negative slope turns the range round
    plain = scale_by_range(modality.values, *declared)
    scaled = _voi_lut(modality, dataset) or _window(modality, dataset)
    if scaled is None or np.allclose(scaled[0], plain, rtol=0, atol=0.5 / 255):
        # Nothing but the declared range is told, which is no more certain for being told twice.
        found = believed_range(modality, *declared) if table else believed_range(levels, *stored_range)
        if found.rule or scaled is None:
            low, high = found[:2] if table else sorted(v * slope + intercept for v in found[:2])
            scaled = scale_by_range(modality.values, low, high), found.rule or "bits stored", (low, high)
    return scaled


def _rescale(dataset: Dataset) -> tuple[float, float]:
    """RescaleSlope and RescaleIntercept (PS3.3 C.11.1)."""
    slope = (numbers(dataset, "RescaleSlope") or [1.0])[0]
    intercept = (numbers(dataset, "RescaleIntercept") or [0.0])[0]
    if slope == 0:
        warnings.warn("RescaleSlope of 0 is ignored", RadiographWarning, stacklevel=2)
        slope = 1.0
    return slope, intercept


def _voi_lut(levels: Levels, dataset: Dataset) -> tuple[np.ndarray, str, Range] | None:
    """The first VOI LUT (PS3.3 C.11.2.1.1), scaled by the range of its output."""
    table = first_table(dataset, "VOILUTSequence")
    if table is None:
        return None
    if table.first >= 1 << 15 and levels.values.min() < 0:  # written as unsigned, though the input is signed
        table = table._replace(first=table.first - (1 << 16))
    scaled = table(levels.values) / table.largest
    if not _is_meant(scaled, levels, "VOILUTSequence"):
        return None
    return scaled, "voi lut", (float(table.first), float(table.first + len(table.entries) - 1))


def _window(levels: Levels, dataset: Dataset) -> tuple[np.ndarray, str, Range] | None:
    """The first window (PS3.3 C.11.2.1.2, C.11.2.1.3), scaled by the range of its output."""
    centers, widths = numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth")
    if not centers or not widths:
        return None
    center, width = centers[0], widths[0]
    function = text(dataset, "VOILUTFunction").upper() or "LINEAR"
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        warnings.warn(f"VOILUTFunction {function} is unknown, taken as LINEAR", RadiographWarning, stacklevel=2)
        function = "LINEAR"
    if width <= 0:
        warnings.warn(f"WindowWidth of {width:g} is ignored", RadiographWarning, stacklevel=2)
        return None
    if width < 1 and function == "LINEAR":  # the standard has no such window; only the exact formula can be meant
        function = "LINEAR_EXACT"
    window = Dataset()
    window.PhotometricInterpretation = "MONOCHROME2"
    window.BitsStored, window.PixelRepresentation = 1, 0  # pydicom's output range is then 0 to 1
    window.WindowCenter, window.WindowWidth, window.VOILUTFunction = repr(center)[:16], repr(width)[:16], function
    scaled = apply_windowing(levels.values.astype(np.float64), window)
    if not _is_meant(scaled, levels, f"the window (center {center:g}, width {width:g})"):
        return None
    if function == "SIGMOID":
        return scaled, "window", (math.nan, math.nan)
    half = width / 2 if function == "LINEAR_EXACT" else (width - 1) / 2
    middle = center if function == "LINEAR_EXACT" else center - 0.5
    return scaled, "window", (middle - half, middle + half)


def _is_meant(scaled: np.ndarray, levels: Levels, what: str) -> bool:
    """Whether enough is left to be seen: windows of another image are found in the wild."""
    fault = fault_of_scale(scaled, levels)
    if fault:
        warnings.warn(f"{what} {fault} and is ignored", RadiographWarning, stacklevel=3)
    return not fault


def padding_mask(raw: np.ndarray, dataset: Dataset, signed: bool) -> np.ndarray | None:
    """Which stored pixels are padding (PixelPaddingValue, and the range to PixelPaddingRangeLimit); None: no such."""
    limits = [integer(dataset, "PixelPaddingValue"), integer(dataset, "PixelPaddingRangeLimit")]
    # Written with the other sign than the pixels have (PS3.3 C.7.5.1.1.2 wants theirs).
    given = [v - (1 << 16) if signed and v >= 1 << 15 else v for v in limits if v is not None]
    given = [v if signed or v >= 0 else v + (1 << 8 * raw.dtype.itemsize) for v in given]
    if limits[0] is None or not given:
        return None
    mask = (raw >= min(given)) & (raw <= max(given))
    return mask if mask.any() else None
