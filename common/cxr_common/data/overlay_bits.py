"""Overlays that lie in the bits of the pixels, as was done until 2004, where no header declares them."""

from __future__ import annotations

import warnings

import numpy as np

from cxr_common.data.grey_levels import FEW_LEVELS
from cxr_common.data.grey_range import ABSURD_SHARE, LEAST_BITS
from cxr_common.data.scan import RadiographWarning

#: At the edges of an overlay the picture below goes on, with steps of at most so many times its usual ones.
_USUAL_STEPS = 4
_STEEP = 90  # percentile of the steps
#: Rows of so many pixels tell as much.
_ENOUGH = 1_000_000


def without_overlays(pixels: np.ndarray) -> tuple[np.ndarray, int | None]:
    """Take undeclared overlays out of the highest bits of a picture.

    A bit that is image changes where the grey value passes a power of two, and then all bits below turn round. A bit
    that is an overlay changes while the bits below go on as if nothing were there. Both are far apart, so that what
    is decided is no matter of degree.

    Args:
        pixels: (rows, columns), not negative integers.

    Returns:
        The picture without them, with a warning, and how many bits it has; or as it is, and None.
    """
    found: list[int] = []
    sample = pixels[:: 1 + pixels.size // _ENOUGH]
    for bit in range(int(pixels.max()).bit_length() - 1, LEAST_BITS - 1, -1):
        flags, sample = (sample >> bit) & 1, sample & ((1 << bit) - 1)
        if flags.any():
            if not _is_overlay(flags, sample, bit):
                break
            found.append(bit)
    if not found:
        return pixels, None
    bits = found[-1]
    places = ", ".join(map(str, found))
    reason = f"an overlay that is not declared lies in bit {places}: {bits} bits are image"
    warnings.warn(reason, RadiographWarning, stacklevel=3)
    return pixels & ((1 << bits) - 1), bits


def _is_overlay(flags: np.ndarray, below: np.ndarray, bit: int) -> bool:
    """Whether the bits below go on, across the edges of a bit's plane, as if it were not there."""
    edges = flags[:, 1:] != flags[:, :-1]
    if not edges.any() or edges.all():
        return False
    steps = np.abs(np.diff(below.astype(np.int64), axis=1))
    across, usual = np.percentile(steps[edges], _STEEP), np.percentile(steps[~edges], _STEEP)
    if across > min(_USUAL_STEPS * (usual + 1), (1 << bit) * ABSURD_SHARE):
        return False
    # Text of one value, a mask, a frame: nothing lies below it.
    under, beside = below[flags == 1], below[flags == 0]
    return min(len(np.unique(under)), len(np.unique(beside))) > FEW_LEVELS
