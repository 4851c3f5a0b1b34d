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
_ENOUGH = 300_000


def without_overlays(pixels: np.ndarray) -> tuple[np.ndarray, int | None]:
    """Take undeclared overlays out of the highest bits of a picture.

    A bit that is image changes where the grey value passes a power of two, and then all bits below turn round. A bit
    that is an overlay changes while the bits of the image go on as if nothing were there. The two are far apart. The
    fewest bits that go on so below all others are the image.

    Args:
        pixels: (rows, columns), not negative integers.

    Returns:
        The picture without them, with a warning, and how many bits it has; or as it is, and None.
    """
    sample = pixels[:: 1 + pixels.size // _ENOUGH]
    used = int(pixels.max()).bit_length()
    for bits in range(LEAST_BITS, used):
        below = sample & ((1 << bits) - 1)
        planes = {bit: (sample >> bit) & 1 for bit in range(bits, used)}
        found = [bit for bit, plane in planes.items() if plane.any()]
        if found and all(_is_overlay(planes[bit], below, bits) for bit in found):
            places = ", ".join(map(str, found))
            reason = f"an overlay that is not declared lies in bit {places}: {bits} bits are image"
            warnings.warn(reason, RadiographWarning, stacklevel=3)
            return pixels & ((1 << bits) - 1), bits
    return pixels, None


def _is_overlay(plane: np.ndarray, below: np.ndarray, bits: int) -> bool:
    """Whether the picture of the lower bits goes on, across the edges of a bit's plane, as if it were not there."""
    edges = plane[:, 1:] != plane[:, :-1]
    if not edges.any() or edges.all():
        return False
    steps = np.abs(np.diff(below.astype(np.int64), axis=1))
    across, usual = np.percentile(steps[edges], _STEEP), np.percentile(steps[~edges], _STEEP)
    if across > min(_USUAL_STEPS * (usual + 1), (1 << bits) * ABSURD_SHARE):
        return False
    # Text of one value, a mask, a frame: nothing lies below it.
    under, beside = below[plane == 1], below[plane == 0]
    return min(len(np.unique(under)), len(np.unique(beside))) > FEW_LEVELS
