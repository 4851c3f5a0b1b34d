"""Global prototype alignment: one feature vector a class over the whole training set (Luo 2021, arXiv 2104.03218)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from cxr_common.distributed import sum_over_processes

_TINY = 1e-12  # a square root has no gradient at 0, and weights must not all be 0


class PrototypeLosses(NamedTuple):
    """Both are scalars.

    Attributes:
        intra: distance of a class' mean feature in the batch to its own prototype.
        inter: nearness of it to the prototypes of other classes.
    """

    intra: torch.Tensor
    inter: torch.Tensor


class GlobalPrototypes(nn.Module):
    r"""Class prototypes P, and the losses that draw the features of a batch to them.

    .. math::

        P_c &\leftarrow \lambda P_c + (1 - \lambda) \sum_k y_{kc} p_{kc} f_c^k / \sum_k y_{kc} p_{kc} \\
        L_{intra} &= mean_c\ d(\bar f_c, P_c) \\
        L_{inter} &= mean_{c, j \ne c}\ ((m - s) / m)^2 \max(m - s, 0)^2, \quad s = \sqrt{d(\bar f_c, P_j)}

    over the classes c present in the batch and the classes j seen so far; d is the mean squared difference,
    :math:`\bar f_c` the mean over the batch's images with the class, p the class' probability, and
    :math:`\lambda = 0` when a class is seen for the first time (github.com/LLYXC/OXnet at 4fb67a8). Published defects
    that are not reproduced: prototypes of absent classes shrink at every step, they are not saved, and M is 2048.

    Prototypes and the seen flags are buffers. Several processes hold the same ones and give the loss of the whole
    batch; all of them must call it in each step.

    Args:
        num_classes: K.
        num_features: M.
        momentum: lambda.
        margin: m; a root mean squared distance above it costs nothing.
    """

    def __init__(self, num_classes: int, num_features: int, momentum: float = 0.7, margin: float = 1.0) -> None:
        super().__init__()
        self.momentum, self.margin = momentum, margin
        self.prototypes: torch.Tensor
        self.seen: torch.Tensor
        self.register_buffer("prototypes", torch.zeros(num_classes, num_features))
        self.register_buffer("seen", torch.zeros(num_classes, dtype=torch.bool))

    def forward(self, features: torch.Tensor, logits: torch.Tensor, label: torch.Tensor) -> PrototypeLosses:
        """Update the prototypes (in training mode only), and give the losses against the updated ones.

        Args:
            features: (N, K, M), see :func:`~cxr_common.detection.alignment.class_features`.
            logits: image-level logits (N, K); no gradient flows to them.
            label: (N, K); only 1 counts as present. To count uncertain ones, apply a label policy first.

        Returns:
            Losses; 0 where no class is present, or no other class was seen.
        """
        present = (label == 1).to(features)
        count = sum_over_processes(present.sum(0))
        total = sum_over_processes(torch.einsum("nk,nkm->km", present, features))
        mean = total / count.clamp_min(1)[:, None]
        if self.training:
            probability = torch.sigmoid(logits.detach()).to(features).clamp_min(_TINY)
            self._update(features.detach(), present * probability, count > 0)
        prototypes = self.prototypes.to(features)
        here = (count > 0).to(features)
        intra = (mean - prototypes).square().mean(1)
        squared = (mean[:, None] - prototypes[None]).square().mean(2)
        apart = self.margin - squared.clamp_min(_TINY).sqrt()
        others = self.seen.to(features) * (1 - torch.eye(len(count), dtype=features.dtype, device=features.device))
        pairs = here[:, None] * others
        near = (apart / self.margin).square() * apart.clamp_min(0).square()
        return PrototypeLosses(
            (intra * here).sum() / here.sum().clamp_min(1), (near * pairs).sum() / pairs.sum().clamp_min(1)
        )

    @torch.no_grad()
    def _update(self, features: torch.Tensor, weight: torch.Tensor, present: torch.Tensor) -> None:
        total = sum_over_processes(torch.einsum("nk,nkm->km", weight, features))
        average = total / sum_over_processes(weight.sum(0)).clamp_min(_TINY)[:, None]
        keep = torch.where(self.seen, self.momentum, 0.0).to(features)[:, None]
        updated = keep * self.prototypes.to(features) + (1 - keep) * average
        self.prototypes.copy_(torch.where(present[:, None], updated, self.prototypes.to(features)))
        self.seen |= present
