"""Soft Dice of a batch, as CheXseg has it (Gadgil 2021, arXiv 2102.10484)."""

from __future__ import annotations

import torch
from torch import nn


class SoftDiceLoss(nn.Module):
    r"""One minus the soft Dice coefficient, the mean over classes.

    .. math:: 1 - \operatorname{mean}_c \frac{2 \sum p_c g_c + s}{\sum p_c + \sum g_c + s}

    Sums run over the pixels of the whole batch (of this process), as in github.com/stanfordmlgroup/CheXseg at ca345d7.
    MONAI's ``DiceLoss(batch=True)`` is the same where everything is annotated, but would call the rest empty.

    A class that a batch lacks costs 1 - s / (sum p + s). With s = 1 the gradient of that is largest where the class has
    hardly a pixel left: rare or small findings are pushed to where the sigmoid is flat, and never come back. With a
    tiny s such a batch says nearly nothing of the class.

    Args:
        smooth: s; 1 as published, 1e-5 in MONAI's losses.

    Example:
        >>> target = torch.ones(1, 1, 4, 4)
        >>> loss = SoftDiceLoss()
        >>> round(loss(torch.full((1, 1, 4, 4), 20.0), target).item(), 4)
        0.0
        >>> round(loss(torch.full((1, 1, 4, 4), -20.0), target).item(), 4)  # 1 - 1 / (16 + 1)
        0.9412
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        self.smooth = smooth

    def forward(self, maps: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Loss of logit maps against masks.

        Args:
            maps: (N, C, X, Y) logits.
            target: (N, C, X, Y) in [0, 1]; NaN where not annotated: such pixels are in no sum, and a class without any
                other is not in the mean.

        Returns:
            A scalar; 0 where nothing is annotated.
        """
        maps = maps.to(torch.promote_types(maps.dtype, torch.float32))  # sums of many pixels leave half precision
        known = ~torch.isnan(target)
        truth = torch.where(known, target, 0.0).to(maps)
        probability = torch.sigmoid(maps) * known
        overlap, total = (probability * truth).sum((0, 2, 3)), (probability + truth).sum((0, 2, 3))
        loss = 1 - (2 * overlap + self.smooth) / (total + self.smooth)
        annotated = known.any(-1).any(-1).any(0)
        return (loss * annotated).sum() / annotated.sum().clamp_min(1)
