"""Small helpers on pictures in the phantom's own coordinates.

x runs over columns, y over rows, both from -1 to 1 over a field of :data:`FIELD_CM`; arrays broadcast from (1, n) and
(n, 1), which makes most shapes one-dimensional work.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

#: Mostly float32; some intermediates are float64.
Array = NDArray[np.floating[Any]]
#: Width of the picture, about that of a 14 x 17 inch detector's short side plus the beam's magnification.
FIELD_CM = 40.0


@lru_cache(maxsize=8)
def coordinates(size: int) -> tuple[Array, Array]:
    """Pixel centres: x (1, size) and y (size, 1) in [-1, 1]."""
    centres = ((np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1).astype(np.float32)
    return centres[None, :], centres[:, None]


def soft_step(distance: Array, width: float) -> Array:
    """0 where the distance is well below zero, 1 well above, linear over +- width."""
    return np.clip(distance * np.float32(0.5 / width) + np.float32(0.5), 0, 1)


def texture(rng: np.random.Generator, size: int, cells: int) -> Array:
    """Smooth noise (size, size) of mean 0 and deviation 1 with about ``cells`` bumps across."""
    cells = min(cells, size)
    coarse = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    # Bicubic upsampling as two matrix products: many times faster than a general zoom.
    weights = _upsampling(size, cells)
    fine = weights @ coarse @ weights.T
    return (fine - fine.mean()) / (fine.std() + np.float32(1e-6))


@lru_cache(maxsize=64)
def _upsampling(size: int, cells: int) -> Array:
    """(size, cells + 3) interpolation matrix of cubic B-splines."""
    position = np.arange(size, dtype=np.float64) * cells / size + 1
    distance = np.abs(position[:, None] - np.arange(cells + 3)[None, :])
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0)).astype(np.float32)


def blur(picture: Array, sigma: float) -> Array:
    """Gaussian blur, sigma in pixels; wide blurs work on a coarser grid."""
    step = max(1, int(sigma // 3))
    if step == 1:
        return ndimage.gaussian_filter(picture, sigma, mode="nearest", truncate=3)
    size = picture.shape[0]
    coarse = ndimage.gaussian_filter(picture[step // 2 :: step, step // 2 :: step], sigma / step, mode="nearest")
    position = (np.arange(size, dtype=np.float32) - step // 2) / step
    low = np.clip(np.floor(position).astype(int), 0, len(coarse) - 2)
    part = np.clip(position - low, 0, 1).astype(np.float32)
    rows = coarse[low] * (1 - part)[:, None] + coarse[low + 1] * part[:, None]
    return rows[:, low] * (1 - part) + rows[:, low + 1] * part
