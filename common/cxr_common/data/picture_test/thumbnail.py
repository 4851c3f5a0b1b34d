"""The small picture that the test looks at."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import adaptive_avg_pool2d

#: Rows and columns.
SIDE = 64


def thumbnail(picture: np.ndarray) -> torch.Tensor:
    """Reduce a picture by averaging; its shape becomes a square.

    Args:
        picture: (rows, columns) in [0, 1].

    Returns:
        float32 (`SIDE`, `SIDE`) in [0, 1].
    """
    pixels = torch.from_numpy(np.ascontiguousarray(picture, dtype=np.float32))
    return adaptive_avg_pool2d(pixels[None], SIDE)[0]


def standardised(thumbnails: torch.Tensor) -> torch.Tensor:
    """Thumbnails (N, `SIDE`, `SIDE`) of mean 0 and deviation 1: exposure tells nothing of what is shown."""
    deviation, mean = torch.std_mean(thumbnails, dim=(-2, -1), keepdim=True)
    return (thumbnails - mean) / deviation.clamp_min(1e-4)
