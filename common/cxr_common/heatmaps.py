"""From logit maps to heatmaps: one way for what is delivered and for what is scored."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F


def resize_maps(maps: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Bilinear resampling of (N, C, x, y) to (N, C, X, Y) by pixel areas (align_corners False)."""
    # An enlarged map is constant from the centres of its outermost cells to the edge. PyTorch's kernel for the layout
    # channels last rounds there, so that the largest pixel would hang on the layout in memory.
    return F.interpolate(maps.contiguous(), size=tuple(size), mode="bilinear", align_corners=False)


def upsample_heatmaps(logit_maps: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Heatmaps as PYLON publishes and scores them: sigmoid at the map's own stride, then bilinear to the input's size.

    Preechakul et al., "Improved image classification explainability with high-accuracy heatmaps", iScience 25(3), 2022.
    No ReLU and no min-max: the values stay probabilities and compare across images.

    Args:
        logit_maps: (N, C, x, y).
        size: X, Y of the network's input.

    Returns:
        (N, C, X, Y) probabilities; float64 maps stay float64, others become float32.

    Example:
        >>> upsample_heatmaps(torch.zeros(1, 1, 2, 2), size=(4, 4))[0, 0, 0].tolist()
        [0.5, 0.5, 0.5, 0.5]
    """
    maps = logit_maps if logit_maps.dtype == torch.float64 else logit_maps.float()
    return resize_maps(torch.sigmoid(maps), size)


def unit_peak(maps: torch.Tensor) -> torch.Tensor:
    """ReLU, then each map divided by its maximum; larger is more evidence.

    MONAI's ``default_normalizer`` maps the minimum to 1 and the maximum to 0, so its maps read the other way round.

    Args:
        maps: (..., x, y).

    Returns:
        (..., x, y) in [0, 1] with maximum 1; a map that is nowhere positive gives zeros.

    Example:
        >>> unit_peak(torch.tensor([[-1.0, 2.0], [4.0, 0.0]])).tolist()
        [[0.0, 0.5], [1.0, 0.0]]
    """
    positive = maps.relu()
    peak = positive.amax((-2, -1), keepdim=True)
    return positive / torch.where(peak > 0, peak, torch.ones_like(peak))
