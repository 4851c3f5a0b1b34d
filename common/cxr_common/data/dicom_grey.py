"""The DICOM greyscale pipeline: modality LUT, VOI LUT or window, polarity (PS3.3 C.11, PS3.4 N.2)."""

from __future__ import annotations

import math
import warnings

import numpy as np

from cxr_common.data.dicom_elements import integer, items, numbers, text
from cxr_common.data.intensity import scale_by_range
from cxr_common.data.pydicom_compat import Dataset, apply_windowing, byte_order
from cxr_common.data.scan import RadiographWarning

Range = tuple[float, float]


def display_values(
    values: np.ndarray, dataset: Dataset, stored_range: Range, inverse: bool
) -> tuple[np.ndarray, str, Range]:
    """Map stored values to [0, 1], bright = dense.

    Args:
        values: stored values, of any shape: the pixels, or every value that they take.
        dataset: what holds the Modality LUT and VOI LUT modules.
        stored_range: smallest and largest value that BitsStored and PixelRepresentation allow.
        inverse: whether the smallest value is displayed as white: MONOCHROME1, or PresentationLUTShape INVERSE.

    Returns:
        float32 values of the same shape, what the scale rests on ("voi lut", "window" or "bits stored"), and the
        values after the modality LUT that became 0 and 1 before the inversion (NaN for a sigmoid).
    """
    modality, modality_range = _modality(values.astype(np.float64), dataset, stored_range)
    scaled = _voi_lut(modality, dataset) or _window(modality, dataset)
    if scaled is None:
        scaled = scale_by_range(modality, *modality_range), "bits stored", modality_range
    grey, source, used = scaled
    grey = grey.astype(np.float32)
    return (1 - grey if inverse else grey), source, used


def _modality(values: np.ndarray, dataset: Dataset, stored_range: Range) -> tuple[np.ndarray, Range]:
    """Modality LUT or rescale (PS3.3 C.11.1), and the range of its output."""
    for item in items(dataset, "ModalityLUTSequence")[:1]:
        table = _table(item, dataset)
        if table is not None:
            return _look_up(values, *table[:2]), (0.0, table[2])
        warnings.warn("ModalityLUTSequence is damaged and is ignored", RadiographWarning, stacklevel=2)
    slope = (numbers(dataset, "RescaleSlope") or [1.0])[0]
    intercept = (numbers(dataset, "RescaleIntercept") or [0.0])[0]
    if slope == 0:
        warnings.warn("RescaleSlope of 0 is ignored", RadiographWarning, stacklevel=2)
        slope = 1.0
    ends = sorted(v * slope + intercept for v in stored_range)  # a negative slope turns the range round
    return values * slope + intercept, (ends[0], ends[1])


def _voi_lut(values: np.ndarray, dataset: Dataset) -> tuple[np.ndarray, str, Range] | None:
    """The first VOI LUT (PS3.3 C.11.2.1.1), scaled by the range of its output."""
    for item in items(dataset, "VOILUTSequence")[:1]:
        table = _table(item, dataset)
        if table is None:
            warnings.warn("VOILUTSequence is damaged and is ignored", RadiographWarning, stacklevel=2)
            break
        entries, first, largest = table
        if first >= 1 << 15 and values.min() < 0:  # written as unsigned, though the input is signed
            first -= 1 << 16
        scaled = _look_up(values, entries, first) / largest
        if _keeps_contrast(scaled, values, "VOILUTSequence"):
            return scaled, "voi lut", (float(first), float(first + len(entries) - 1))
    return None


def _window(values: np.ndarray, dataset: Dataset) -> tuple[np.ndarray, str, Range] | None:
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
    scaled = apply_windowing(values, window)
    if not _keeps_contrast(scaled, values, f"the window (center {center:g}, width {width:g})"):
        return None
    if function == "SIGMOID":
        return scaled, "window", (math.nan, math.nan)
    half = width / 2 if function == "LINEAR_EXACT" else (width - 1) / 2
    middle = center if function == "LINEAR_EXACT" else center - 0.5
    return scaled, "window", (middle - half, middle + half)


def _keeps_contrast(scaled: np.ndarray, values: np.ndarray, what: str) -> bool:
    """Whether something is left to be seen: windows of another image are found in the wild."""
    if scaled.min() < scaled.max() or values.min() == values.max():
        return True
    warnings.warn(f"{what} shows nothing of this image and is ignored", RadiographWarning, stacklevel=3)
    return False


def _look_up(values: np.ndarray, entries: np.ndarray, first: int) -> np.ndarray:
    """Values below the first mapped one take the first entry, values above the last one the last entry.

    pydicom's apply_modality_lut and apply_voi keep the index in the type of the pixels or of the table, where it
    wraps: with an 8-bit table of 4096 entries, or a first value below 0.
    """
    return entries[np.clip(np.rint(values).astype(np.int64) - first, 0, len(entries) - 1)]


def _table(item: Dataset, dataset: Dataset) -> tuple[np.ndarray, int, float] | None:
    """Entries, first mapped value and largest output value of a LUT item (PS3.3 C.11.1.1); None where damaged."""
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3 or "LUTData" not in item:
        return None
    count, first, bits = (int(v) for v in descriptor)
    count = count % (1 << 16) or 1 << 16  # 0 means 65536, and a signed reading makes large counts negative
    data = item["LUTData"].value
    if isinstance(data, bytes):
        # Entries of 8 bits or fewer may be packed, one a byte.
        packed = bits <= 8 and len(data) in (count, count + count % 2)
        entries = np.frombuffer(data[: len(data) // 2 * 2], np.uint8 if packed else f"{byte_order(dataset)}u2")
    else:
        entries = np.atleast_1d(np.asarray(data if data is not None else [], np.int64)) % (1 << 16)
    entries = entries[:count].astype(np.float64)
    if not entries.size or not 1 <= bits <= 16:
        return None
    largest = float((1 << bits) - 1)
    if entries.max() > largest:
        warnings.warn(f"a LUT of {bits} bits has larger entries", RadiographWarning, stacklevel=3)
        largest = float((1 << int(entries.max()).bit_length()) - 1)
    return entries, first, largest


def padding_mask(raw: np.ndarray, dataset: Dataset, signed: bool) -> np.ndarray | None:
    """Which stored pixels are padding (PixelPaddingValue, and the range to PixelPaddingRangeLimit); None: no such."""
    limits = [integer(dataset, "PixelPaddingValue"), integer(dataset, "PixelPaddingRangeLimit")]
    given = [v - (1 << 16) if signed and v >= 1 << 15 else v for v in limits if v is not None]
    if limits[0] is None or not given:
        return None
    mask = (raw >= min(given)) & (raw <= max(given))
    return mask if mask.any() else None
