"""Scaling of saliency maps."""

from __future__ import annotations

import torch


def unit_peak(maps: torch.Tensor) -> torch.Tensor:
    """ReLU, then each map divided by its maximum; larger is more evidence.

    MONAI's ``default_normalizer`` maps the minimum to 1 and the maximum to 0, so its maps read the other way round.

    Args:
        maps: (..., x, y).

    Returns:
        (..., x, y) in [0, 1] with maximum 1; a map that is nowhere positive gives zeros.
    """
    positive = maps.relu()
    peak = positive.amax((-2, -1), keepdim=True)
    return positive / peak.where(peak > 0, 1)
