"""The one rule for the range of grey values: what the header or the type declares, unless it cannot be meant.

`docs/reference/grey.md` tells the rule's order, its limits and why they lie where they do.
"""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from cxr_common.data.grey_levels import FEW_LEVELS, Levels
from cxr_common.data.scan import RadiographWarning

PERCENTILES = (0.5, 99.5)
#: A declared range of which less is used cannot be meant: 12 bits of 16 are 1/16, 13 are just under 1/8.
ABSURD_SHARE = 1 / 8
#: No picture is taken for one of fewer bits: stretched further, an underexposed one would show little but noise.
LEAST_BITS = 8


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
