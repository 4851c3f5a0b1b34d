"""Read single DICOM elements that may be absent, empty or damaged, or lie in the functional groups of the frame."""

from __future__ import annotations

import math
import warnings

from cxr_common.data.pydicom_compat import Dataset
from cxr_common.data.scan import RadiographWarning

_LONGEST = 256
#: Bytes of a value that pydicom may turn into objects, of which each takes 50 times its bytes; a sequence of eight
#: tables of 16 bits has one megabyte.
_MOST_BYTES = {True: 4 << 20, False: 64 << 10}
#: Where enhanced and multi-frame objects, of one frame too, keep what others have at the top (PS3.3 C.7.6.16.2).
_FRAME_MACROS = {
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "WindowCenter": "FrameVOILUTSequence",
    "WindowWidth": "FrameVOILUTSequence",
    "VOILUTFunction": "FrameVOILUTSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "ImagerPixelSpacing": "FramePixelDataPropertiesSequence",
    "PatientOrientation": "PatientOrientationInFrameSequence",
}


def _value(dataset: Dataset, keyword: str, sequence: bool = False) -> object:
    if keyword in _FRAME_MACROS and keyword not in dataset:
        dataset = _frame_macro(dataset, _FRAME_MACROS[keyword])
    try:
        raw = getattr(dataset.get_item(keyword), "value", None) if keyword in dataset else None
        if isinstance(raw, bytes) and len(raw) > _MOST_BYTES[sequence]:
            warnings.warn(f"{keyword} is too long and is ignored", RadiographWarning, stacklevel=3)
            return None
        return dataset.get(keyword)
    except Exception:  # pydicom converts on access, and raises what the conversion raises
        warnings.warn(f"{keyword} cannot be read and is ignored", RadiographWarning, stacklevel=3)
        return None


def _frame_macro(dataset: Dataset, macro: str) -> Dataset:
    """What a macro says of the first frame, else of all frames; empty where there is none."""
    for group in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"):
        for frame in items(dataset, group)[:1]:
            for found in items(frame, macro)[:1]:
                return found
    return Dataset()


def text(dataset: Dataset, keyword: str) -> str:
    """An element as text, several values joined by a backslash; "" where absent, empty or damaged."""
    value = _value(dataset, keyword)
    if value is None:
        return ""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        value = (value,)
    parts = (v.decode("ascii", "replace") if isinstance(v, bytes) else str(v) for v in value)
    joined = "\\".join(part.strip(" \0") for part in parts)
    # Damaged bytes may turn the rest of the file into one value; no text that is used here is that long.
    return "".join(c if c.isprintable() else "?" for c in joined[:_LONGEST])


def numbers(dataset: Dataset, keyword: str) -> list[float]:
    """The values of a numeric element; empty where absent, empty, damaged or not finite."""
    value = _value(dataset, keyword)
    if value is None or value == "":
        return []
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        value = (value,)
    try:
        result = [float(v) for v in value]
    except (TypeError, ValueError):
        result = [math.nan]
    if not all(map(math.isfinite, result)):
        warnings.warn(f"{keyword} is not a number and is ignored", RadiographWarning, stacklevel=2)
        return []
    return result


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value of a numeric element as an integer, or None."""
    values = numbers(dataset, keyword)
    return int(values[0]) if values else None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence; empty where absent or damaged."""
    value = _value(dataset, keyword, sequence=True)
    return [item for item in value if isinstance(item, Dataset)] if hasattr(value, "__iter__") else []
