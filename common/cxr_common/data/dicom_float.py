"""Float Pixel Data and Double Float Pixel Data of DICOM (PS3.3 C.7.6.24), which converters and research tools write."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cxr_common.data.dicom_description import photometric_interpretation
from cxr_common.data.dicom_elements import integer, numbers
from cxr_common.data.intensity import scale_by_percentiles, turned_round
from cxr_common.data.limits import check_size
from cxr_common.data.pydicom_compat import Dataset, byte_order
from cxr_common.errors import InputError

_TYPES = {"FloatPixelData": "f4", "DoubleFloatPixelData": "f8"}


def float_element(dataset: Dataset) -> str | None:
    """Keyword of the float pixels that an image has in place of PixelData; None for none."""
    return next((keyword for keyword in _TYPES if keyword in dataset), None)


def read_float_pixels(dataset: Dataset, path: Path) -> tuple[np.ndarray, tuple[float, float]]:
    """Read float pixels, which declare no range: like other float files they are scaled by their percentiles.

    Returns:
        float32 (rows, columns) in [0, 1], bright = dense, and the two percentiles.

    Raises:
        InputError: it is in colour or too large, its pixels are cut off, or too many of them are not finite.
    """
    keyword = str(float_element(dataset))
    rows, columns = (integer(dataset, name) or 0 for name in ("Rows", "Columns"))
    photometric = photometric_interpretation(dataset)
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        reason = f"PhotometricInterpretation of the {keyword} is {photometric or 'missing'}"
        raise InputError(reason, path, "export it as MONOCHROME2")
    if rows <= 0 or columns <= 0:
        raise InputError(f"the image has {rows} rows and {columns} columns", path, "copy or export the file again")
    kind = np.dtype(byte_order(dataset) + _TYPES[keyword])
    check_size(columns, rows, path, 1, kind.itemsize)
    content, needed = bytes(dataset[keyword].value or b""), rows * columns * kind.itemsize
    if len(content) < needed:
        reason = f"the pixel data are cut off: {len(content)} of {needed} bytes"
        raise InputError(reason, path, "copy or export the file again")
    values = np.frombuffer(content[:needed], kind).reshape(rows, columns)
    scaled, low, high = scale_by_percentiles(values, path)
    turned = (numbers(dataset, "RescaleSlope") or [1.0])[0] < 0  # all else of a rescale changes no percentile's grey
    return turned_round(scaled, values) if (photometric == "MONOCHROME1") != turned else scaled, (low, high)
