"""Knowledge distillation for masks, the first version of CheXseg (arXiv 2102.10484v1)."""

from __future__ import annotations

import torch
from torch import nn

from cxr_common.segmentation.masked_bce_loss import masked_bce


class DistillationLoss(nn.Module):
    r"""Cross-entropy of a student's probabilities against a teacher's, both softened by a temperature.

    .. math:: \operatorname{BCE}(\sigma(s / T), \sigma(t / T))

    As published it is not multiplied by :math:`T^2`, so gradients shrink with the temperature.

    Args:
        temperature: T; the published training runs with 10.
    """

    def __init__(self, temperature: float = 10.0) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"temperature must be positive, not {temperature}")
        self.temperature = temperature

    def forward(self, student: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
        """Loss of a student's logit maps.

        Args:
            student: (N, C, X, Y) logits.
            teacher: logits of the same shape, which get no gradient; NaN where the teacher does not know the class.

        Returns:
            A scalar; the mean over pixels the teacher knows.
        """
        return masked_bce(student / self.temperature, torch.sigmoid(teacher.detach() / self.temperature))
