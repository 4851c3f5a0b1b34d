"""What the page needs of an image file: size, hashes of bytes and look, doubts about the picture."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

from cxr_common.axes import tensor_to_picture
from cxr_common.data.picture_test import DOUBT, doubt_of
from cxr_common.data.reader import RadiographReader
from cxr_common.errors import InputError

_SIDE = 64
_FREQUENCIES = 16


@dataclass(frozen=True)
class Fingerprint:
    """One image file.

    Attributes:
        size: (width, height); None where it cannot be read.
        digest: SHA-256 of its bytes; "" where there is no file.
        bits: bool (255,), see :func:`look_bits`; None where it cannot be read.
        doubt: why it may not be an upright frontal chest radiograph; "" where there is no doubt.
        fault: why it cannot be read; "" where it can.
    """

    size: tuple[int, int] | None
    digest: str = ""
    bits: NDArray[np.bool_] | None = None
    doubt: str = ""
    fault: str = ""


def fingerprint(path: Path) -> Fingerprint:
    """Read an image file; one that cannot be read has a ``fault``."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return Fingerprint(None, fault=(error.strerror or str(error)).lower())
    try:
        picture = read_any_view(path)
    except InputError as error:
        return Fingerprint(None, digest, fault=error.reason)
    rows = tensor_to_picture(picture)
    return Fingerprint(picture.shape, digest, look_bits(rows), doubt_of(rows).removeprefix(DOUBT))


def look_bits(picture: np.ndarray) -> NDArray[np.bool_]:
    """A perceptual hash: signs of the 255 lowest frequencies of a 64 x 64 thumbnail, about their median.

    Copies of a radiograph that were resized, compressed, brightened or cut by 2% differed in at most 42 bits,
    radiographs of different patients in at least 56 (150 and 1,500 of NIH ChestX-ray14).

    Args:
        picture: (rows, columns) in [0, 1].
    """
    grey = Image.fromarray(np.ascontiguousarray(picture, dtype=np.float32))
    small = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))
    low = dctn(small, norm="ortho")[:_FREQUENCIES, :_FREQUENCIES].ravel()[1:]
    return np.asarray(low > np.median(low))


def read_any_view(path: Path) -> np.ndarray:
    """float32 (X, Y) in [0, 1], of any view; the reader's warnings are left out, as they concern trainings."""
    reader = RadiographReader(any_view=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return reader.get_data(reader.read(path))[0]
