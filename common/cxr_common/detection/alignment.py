"""Dual attention alignment: detection head and image-level head correct each other (Luo 2021, arXiv 2104.03218, OXnet).

The detection head says where a class looks most likely (local attention), and the image-level logit is read there
instead of being averaged over the image. The image-level cross-entropy then trains both heads: that is the whole
weakly supervised signal, there is no separate alignment term (github.com/LLYXC/OXnet at 4fb67a8).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.distributed import sum_over_processes
from cxr_common.label_policy import apply_label_policy


def class_probability_maps(logits: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Probability of each class at each cell of each pyramid level: the maximum over the cell's anchors.

    Args:
        logits: per level (N, x, y, A, K) for A anchors a cell, as ``AnchorGrid.split`` cuts a detector's logits.

    Returns:
        Per level (N, K, x, y), in float32 at least.
    """
    best = [level.amax(3).permute(0, 3, 1, 2) for level in logits]
    return [torch.sigmoid(level.to(torch.promote_types(level.dtype, torch.float32))) for level in best]


def local_attention(maps: Sequence[torch.Tensor], size: Sequence[int], eps: float = 1e-6) -> torch.Tensor:
    """Where the detection head sees each class, as weights that sum to 1.

    For each image and class the one pyramid level with the largest peak is taken (the first on a tie), resized
    (bilinear, align_corners True) and divided by its sum. Gradients flow to the detection head.

    Args:
        maps: per level (N, K, x, y), not negative; see :func:`class_probability_maps`.
        size: x, y of the result, the grid of the global class maps.
        eps: smallest sum divided by, so that a map that is 0 everywhere gives 0; published: none, NaN.

    Returns:
        (N, K, x, y).
    """
    peaks = torch.stack([level.flatten(2).amax(2) for level in maps])
    resized = torch.stack([F.interpolate(m, size=tuple(size), mode="bilinear", align_corners=True) for m in maps])
    index = peaks.argmax(0)[None, :, :, None, None].expand(-1, -1, -1, *size)
    picked = resized.gather(0, index)[0]
    return picked / picked.sum((2, 3), keepdim=True).clamp_min(eps)


def aligned_logits(class_maps: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """Image-level logits read where the attention is.

    Args:
        class_maps: X (N, K, x, y), the global class maps.
        attention: (N, K, x, y) from :func:`local_attention`.

    Returns:
        (N, K).
    """
    return (class_maps * attention).sum((2, 3))


def class_features(features: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """Feature vector of each class in each image, the features summed under its attention.

    Args:
        features: G (N, M, x, y), the last backbone features.
        attention: (N, K, x, y).

    Returns:
        (N, K, M). The published code reshapes (N, M, K) to it where it ought to transpose, which scrambles the classes.
    """
    return torch.einsum("nmxy,nkxy->nkm", features.to(attention.dtype), attention)


class AlignedLabelLoss(nn.Module):
    """Mean binary cross-entropy of aligned logits over the annotated labels of the batch, in all processes together.

    What is not annotated does not count; the published code takes it for absent.

    Args:
        policy: what to make of uncertain labels, see :func:`~cxr_common.label_policy.apply_label_policy`.
        soft_target: target of the policy "soft".
    """

    def __init__(self, policy: str = "ignore", soft_target: float = 0.7) -> None:
        super().__init__()
        self.policy, self.soft_target = policy, soft_target
        apply_label_policy(torch.zeros(1), policy)  # an unknown policy fails here, not an hour later

    def forward(self, logits: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Loss of logits (N, K) against labels (N, K); 0 where no process has an annotated label."""
        target = apply_label_policy(label.to(logits), self.policy, self.soft_target)
        known = ~torch.isnan(target)
        entropy = F.binary_cross_entropy_with_logits(
            logits, torch.where(known, target, 0.0), weight=known.to(logits), reduction="sum"
        )
        return sum_over_processes(entropy) / sum_over_processes(known.sum()).clamp_min(1)
