"""Binary cross-entropy of logit maps, blind to what is not annotated."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


def masked_bce(maps: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy over the annotated pixels of all classes.

    With nothing missing it is the plain mean, as WSMIS (arXiv 2007.00748, step c) trains its U-Net.

    Args:
        maps: (N, C, X, Y) logits.
        target: (N, C, X, Y) in [0, 1]; NaN where not annotated.

    Returns:
        A scalar; 0 where nothing is annotated.

    Example:
        >>> target = torch.tensor([[[[1.0, float("nan")]]]])
        >>> round(masked_bce(torch.zeros(1, 1, 1, 2), target).item(), 4)
        0.6931
    """
    maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
    known = ~torch.isnan(target)
    truth = torch.where(known, target, 0.0).to(maps)
    loss = F.binary_cross_entropy_with_logits(maps, truth, weight=known.to(maps), reduction="sum")
    return loss / known.sum().clamp_min(1)


class MaskedBCELoss(nn.Module):
    """:func:`masked_bce` as a module."""

    def forward(self, maps: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of logit maps (N, C, X, Y) against masks of the same shape, NaN where not annotated."""
        return masked_bce(maps, target)
