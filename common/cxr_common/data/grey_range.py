"""The one rule for the range of grey values: what the header or the type declares, unless it cannot be meant.

`docs/grey.md` tells the rule's order, its limits and why they lie where they do.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from cxr_common.data.scan import RadiographWarning

PERCENTILES = (0.5, 99.5)
#: Share of pixels at either end of the picture's values that decide nothing: dead pixels, bits of text.
STRAY = 0.001
#: A declared range of which less is used cannot be meant: 12 bits of 16 are 1/16, 13 are just under 1/8.
ABSURD_SHARE = 1 / 8
#: No picture is taken for one of fewer bits: stretched further, an underexposed one would show little but noise.
LEAST_BITS = 8
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


class GreyRange(NamedTuple):
    """The values that become 0 and 1, and "" for the declared range, or by what rule it was replaced."""

    low: float
    high: float
    rule: str = ""


def believed_range(levels: Levels, low: float, high: float) -> GreyRange:
    """The declared range, or where that cannot be meant the one that the picture uses, with a warning.

    It cannot be meant where the picture uses absurdly little of it, or ends at the very last value of a smaller depth.
    The replacement is the range of the smallest whole depth that holds the picture ("used depth"): what a truthful
    header would say. Where the picture fills less than half of that, its percentiles ("percentile").

    Args:
        levels: of integers, in the units of the range.
        low: smallest value that header or type allow.
        high: largest value that they allow.
    """
    matter = levels.values[levels.matter]
    least, most = int(matter.min()), int(matter.max())
    share = (most - least) / max(high - low, 1)
    depth, reached = _whole_depth(levels, least, most, int(high).bit_length() + (least >= 0 > low))
    told = reached and len(matter) > FEW_LEVELS
    if high - low < 1 << LEAST_BITS or (share >= ABSURD_SHARE and not told):
        return GreyRange(low, high)
    if least == most:  # nothing to see; that is warned of elsewhere
        return depth
    found = depth if reached or _fills(depth, least, most) else _percentiles(levels)
    warnings.warn(
        f"{share:.1%} of the declared range {low:g} to {high:g} is used, taken as {found.low:g} to {found.high:g}",
        RadiographWarning,
        stacklevel=3,
    )
    return found


def _whole_depth(levels: Levels, least: int, most: int, below: int) -> tuple[GreyRange, bool]:
    """Range of the smallest whole number of bits that holds the picture, or of the one to whose very end it goes.

    Args:
        levels: of the picture.
        least: its smallest value that matters.
        most: its largest value that matters.
        below: bits of the declared range, which is none of the candidates.

    Returns:
        The range, and whether the picture ends at its very ends.
    """
    bits = max(most.bit_length(), (-1 - least).bit_length() if least < 0 else 0, LEAST_BITS - (least < 0))
    found = [_depth_range(depth, least < 0) for depth in range(bits, below)]
    for depth in found:
        if most - least >= ABSURD_SHARE * (depth.high - depth.low) and _ends_at(levels, depth):
            return depth, True
    return _depth_range(bits, least < 0), False


def _depth_range(bits: int, signed: bool) -> GreyRange:
    """Range of `bits` bits and, where signed, one more for the sign."""
    return GreyRange(-(1 << bits) if signed else 0, (1 << bits) - 1, "used depth")


def _ends_at(levels: Levels, depth: GreyRange) -> bool:
    """Whether the picture ends at the very ends of a depth: as many pixels are there as beyond."""
    values, counts = levels.values, levels.counts
    for end, beyond in ((depth.high, values > depth.high), (depth.low, values < depth.low)):
        at_end = counts[values == end].sum()
        if end != 0 and (at_end == 0 or at_end < counts[levels.matter & beyond].sum()):
            return False
    return True


def _fills(depth: GreyRange, least: int, most: int) -> bool:
    """Whether half of a depth is used; of a signed one a quarter on either side, or stray signs would halve it."""
    if depth.low < 0:
        return least <= depth.low / 4 and most >= depth.high / 4
    return most - least >= depth.high / 2


def _percentiles(levels: Levels) -> GreyRange:
    counted = np.repeat(levels.values[levels.matter].astype(np.float64), levels.counts[levels.matter])
    low, high = (float(v) for v in np.percentile(counted, PERCENTILES))
    if not high > low:
        low, high = float(counted.min()), float(counted.max())
    return GreyRange(low, max(high, low + (1 << LEAST_BITS) - 1), "percentile")
