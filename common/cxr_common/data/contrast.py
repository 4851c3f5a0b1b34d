"""Whether a scale leaves something of a picture to be seen."""

from __future__ import annotations

import math
import warnings

import numpy as np

from cxr_common.data.grey_levels import FEW_LEVELS, Levels, levels_of
from cxr_common.data.scan import RadiographWarning

#: Of the grey scale, a picture that uses less shows next to nothing.
LEAST_CONTRAST = 1 / 8
MOST_SATURATED = 0.95
#: What 8 bits would show as black or white.
_BLACK, _WHITE = 0.5 / 255, 1 - 0.5 / 255
_STEPS = 4095
#: A sample of this many pixels tells as much.
_ENOUGH = 1_000_000


def fault_of_scale(grey: np.ndarray, levels: Levels) -> str:
    """Why a window or VOI LUT cannot be meant for this picture; "" where it can.

    Args:
        grey: (n,) what the picture's levels become, in [0, 1].
        levels: of the picture.
    """
    shown, counts = grey[levels.matter], levels.counts[levels.matter]
    # Both judge: a stray pixel, and a stray entry of a table.
    merged = levels.merged(np.rint(grey * _STEPS).astype(np.int64))
    contrast = min(float(np.ptp(shown)), float(np.ptp(merged.values[merged.matter])) / _STEPS)
    if contrast == 0 and len(shown) > 1:
        return "shows nothing of this image"
    if len(shown) <= FEW_LEVELS:
        return ""
    saturated = _saturated(shown, counts)
    if saturated > MOST_SATURATED:
        return f"makes {saturated:.0%} of this image black or white"
    return f"leaves {contrast:.1%} of the grey scale to this image" if contrast < LEAST_CONTRAST else ""


def warn_of_contrast(pixels: np.ndarray, padding: np.ndarray | None = None) -> None:
    """Warn of a picture that is uniform, uses under 1/8 of the grey scale, or is over 95% black or white.

    Args:
        pixels: (rows, columns) or (rows, columns, 3) in [0, 1].
        padding: bool (rows, columns), pixels that do not count; None for none.
    """
    if not pixels.size:
        return
    if pixels.min() == pixels.max():
        warnings.warn("all pixels have the same value", RadiographWarning, stacklevel=2)
        return
    if padding is not None and pixels.ndim == 3:
        padding = np.broadcast_to(padding[..., None], pixels.shape)
    step = max(1, math.isqrt(pixels.size // _ENOUGH))
    pixels, padding = pixels[::step, ::step], None if padding is None else padding[::step, ::step]
    levels = levels_of(np.rint(pixels * _STEPS).astype(np.uint16), padding)
    grey = levels.values / _STEPS
    contrast = float(np.ptp(grey[levels.matter]))
    if contrast < LEAST_CONTRAST:
        warnings.warn(f"the image uses {contrast:.1%} of the grey scale", RadiographWarning, stacklevel=2)
    saturated = _saturated(grey, levels.counts)
    if saturated > MOST_SATURATED:
        warnings.warn(f"{saturated:.1%} of the image is black or white", RadiographWarning, stacklevel=2)


def _saturated(grey: np.ndarray, counts: np.ndarray) -> float:
    return float(counts[(grey <= _BLACK) | (grey >= _WHITE)].sum() / counts.sum())
