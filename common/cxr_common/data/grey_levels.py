"""The values of a picture, how often they occur, and which of them tell of its range."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

#: Share of pixels at either end of the picture's values that decide nothing: dead pixels, bits of text.
STRAY = 0.001
#: A value is apart from all others where it is further from them than this part of their range.
APART = 3 / 4
#: Frames and strays are told from the picture by its other values; of fewer values all count.
FEW_LEVELS = 16


@dataclass(frozen=True)
class Levels:
    """The values that a picture has, and how often.

    Attributes:
        values: (n,) numbers, ascending unless they went through a look-up table.
        counts: (n,) pixels of each value; 0 for values that no pixel has, and padding is not counted.
        matter: (n,) bool, the values that tell of the range: no stray pixels, no frame or text of a value far off.
    """

    values: np.ndarray
    counts: np.ndarray
    matter: np.ndarray

    def through(self, outputs: np.ndarray) -> Levels:
        """The same pixels with other values, (n,), such as those of the modality LUT."""
        return replace(self, values=outputs)

    def merged(self, outputs: np.ndarray) -> Levels:
        """The same pixels with other values, (n,) integers from 0 up, equal ones counted together."""
        counts = np.bincount(outputs, weights=self.counts).astype(np.int64)
        values = np.arange(len(counts))
        return Levels(values, counts, _matter(values, counts))

    def index(self, pixels: np.ndarray) -> np.ndarray:
        """Of the pixels' shape, where the levels that were counted have each pixel's value; any for padding."""
        if _is_wide(pixels):
            return np.minimum(np.searchsorted(self.values, pixels), len(self.values) - 1)
        return _above(pixels, int(self.values[0]))


def levels_of(pixels: np.ndarray, padding: np.ndarray | None = None) -> Levels:
    """Count the values of a picture.

    Args:
        pixels: integers, of any shape and not empty.
        padding: bool of the same shape, pixels that are not counted; None for none.
    """
    low, high = int(pixels.min()), int(pixels.max())
    counted = pixels if padding is None or padding.all() else pixels[~padding]
    if _is_wide(pixels):
        values, counts = np.unique(counted, return_counts=True)
    else:
        kind = pixels.dtype if pixels.dtype.itemsize == 8 else np.dtype(np.int64)
        values = np.arange(high - low + 1, dtype=kind) + kind.type(low)
        counts = np.bincount(_above(counted, low).ravel(), minlength=len(values))
    return Levels(values, counts, _matter(values, counts))


def _is_wide(pixels: np.ndarray) -> bool:
    return int(pixels.max()) - int(pixels.min()) >= 1 << 16


def _above(pixels: np.ndarray, low: int) -> np.ndarray:
    """Integers less `low`, which is their smallest value, in a type where that fits."""
    if low == 0 and pixels.dtype.kind == "u":
        return pixels
    if pixels.dtype.itemsize < 4:
        return pixels.astype(np.int32) - low
    return (pixels - pixels.dtype.type(low)).astype(np.int32)


def _matter(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    first, last = _without_strays(counts, 0, len(counts) - 1)
    core = _without_strays(counts, first + 1, last - 1)
    if np.count_nonzero(counts[core[0] : core[1] + 1]) > FEW_LEVELS:
        # One value apart from all others, however many pixels have it: a frame, text, padding without its tag.
        low, high = float(values[core[0]]), float(values[core[1]])
        far = APART * (high - low)
        first = core[0] if low - float(values[first]) > far else first
        last = core[1] if float(values[last]) - high > far else last
    matter = counts > 0
    matter[:first] = matter[last + 1 :] = False
    return matter if np.count_nonzero(matter) > 1 else counts > 0


def _without_strays(counts: np.ndarray, first: int, last: int) -> tuple[int, int]:
    """The first and last of these levels that are left when the stray share of their pixels is taken off each end."""
    up_to = np.cumsum(counts[first : last + 1])
    if last < first or not up_to[-1]:
        return 0, -1
    stray = math.ceil(STRAY * up_to[-1])
    low, high = np.searchsorted(up_to, stray), np.searchsorted(up_to, up_to[-1] - stray, side="right")
    return first + int(low), first + int(high)
