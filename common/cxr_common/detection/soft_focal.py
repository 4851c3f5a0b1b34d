"""Soft focal loss: a student's class probabilities towards a teacher's (Luo 2021, arXiv 2104.03218, OXnet)."""

from __future__ import annotations

import torch
from torch import nn

from cxr_common.distributed import sum_over_processes

#: Mark of an anchor that overlaps a box neither well nor badly, as MONAI's matchers and torchvision's give it.
BETWEEN_THRESHOLDS = -2
_CLAMP = 1e-4  # as published


def soft_focal_terms(
    student: torch.Tensor, teacher: torch.Tensor, alpha: tuple[float, float] = (0.05, 0.95), gamma: float = 2.0
) -> torch.Tensor:
    r"""The loss of every single probability.

    .. math:: (\alpha_0 + q_T (\alpha_1 - \alpha_0)) |q_T - q|^\gamma BCE(q, q_T)

    With a hard target and :math:`\alpha_0 = 1 - \alpha_1` it is the focal loss (Lin 2017).

    Args:
        student: probabilities q, any shape.
        teacher: probabilities of the same shape; no gradient flows to them.
        alpha: weight at teacher probability 0 and at 1.
        gamma: how much agreement is played down.

    Returns:
        That shape.
    """
    q = student.clamp(_CLAMP, 1 - _CLAMP)
    target = teacher.detach().clamp(_CLAMP, 1 - _CLAMP)
    entropy = -(target * torch.log(q) + (1 - target) * torch.log1p(-q))
    weight = alpha[0] + target * (alpha[1] - alpha[0])
    return weight * (target - q).abs() ** gamma * entropy


class SoftFocalLoss(nn.Module):
    """Soft focal loss of a batch: sum / max(1, positive anchors) an image, then the mean over images.

    The published code weighs an image's anchors by the whole teacher batch, which mixes up images; here an image's
    loss depends on that image alone.

    Args:
        alpha: weight at teacher probability 0 and at 1.
        gamma: how much agreement is played down.
        all_images: whether images without any pseudo-box count too. As published they do not: the teacher may have
            missed what is there.
    """

    def __init__(self, alpha: tuple[float, float] = (0.05, 0.95), gamma: float = 2.0, all_images: bool = False) -> None:
        super().__init__()
        self.alpha, self.gamma, self.all_images = (alpha[0], alpha[1]), gamma, all_images

    def forward(
        self, logits: torch.Tensor, teacher: torch.Tensor, matches: torch.Tensor, box_counts: torch.Tensor
    ) -> torch.Tensor:
        """The loss over the images of all processes.

        Args:
            logits: student's (N, P, K) for P anchors.
            teacher: probabilities (N, P, K) of the same anchors.
            matches: (N, P) integers: the matched pseudo-box, -1 for none, -2 for an anchor that is ignored.
            box_counts: (N,) pseudo-boxes of each image.

        Returns:
            A scalar; an image without pseudo-boxes adds 0 to the mean unless ``all_images``.
        """
        student = torch.sigmoid(logits.to(torch.promote_types(logits.dtype, torch.float32)))
        terms = soft_focal_terms(student, teacher.to(student), self.alpha, self.gamma).sum(2)
        # where, not a product: half-precision training must not meet 0 * inf.
        total = torch.where(matches == BETWEEN_THRESHOLDS, 0.0, terms).sum(1)
        per_image = total / (matches >= 0).sum(1).clamp_min(1)
        if not self.all_images:
            per_image = torch.where(box_counts > 0, per_image, 0.0)
        images = sum_over_processes(torch.tensor(len(logits), device=logits.device))
        return sum_over_processes(per_image.sum()) / images.clamp_min(1)
