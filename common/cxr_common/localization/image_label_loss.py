"""Binary cross-entropy on pooled logit maps, blind to what is not annotated."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.errors import InputError
from cxr_common.label_policy import apply_label_policy


class ImageLabelLoss(nn.Module):
    """Mean binary cross-entropy of class logits over the annotated labels of a batch.

    With nothing uncertain or missing it is the plain mean of the PYLON paper.

    Args:
        pool: turns logit maps (N, C, x, y) into class logits (N, C); a network's ``pool``.
        policy: what to make of uncertain labels, see :func:`~cxr_common.label_policy.apply_label_policy`.
        soft_target: target of the policy "soft".
        positive_weight: one weight per class for present labels (see :func:`positive_weights`), or None.

    Example:
        >>> from cxr_common.networks.pooling import max_pool
        >>> loss = ImageLabelLoss(max_pool)
        >>> maps = torch.zeros(1, 2, 4, 4)  # all logits 0: probability one half
        >>> round(loss(maps, torch.tensor([[1.0, float("nan")]])).item(), 4)  # log 2; the second is not annotated
        0.6931
    """

    def __init__(
        self,
        pool: Callable[[torch.Tensor], torch.Tensor],
        policy: str = "ignore",
        soft_target: float = 0.7,
        positive_weight: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.pool, self.policy, self.soft_target = pool, policy, soft_target
        apply_label_policy(torch.zeros(1), policy)  # an unknown policy fails here, not an hour later
        weight = None if positive_weight is None else torch.as_tensor(positive_weight, dtype=torch.float32)
        self.positive_weight: torch.Tensor | None
        self.register_buffer("positive_weight", weight)

    def forward(self, maps: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Loss of logit maps (N, C, x, y) against labels (N, C); 0 where a batch has no annotated label."""
        logits = self.pool(maps)
        target = apply_label_policy(label.to(logits), self.policy, self.soft_target)
        known = ~torch.isnan(target)
        weight = None if self.positive_weight is None else self.positive_weight.to(logits)
        loss = F.binary_cross_entropy_with_logits(
            logits, torch.where(known, target, 0.0), weight=known.to(logits), pos_weight=weight, reduction="sum"
        )
        return loss / known.sum().clamp_min(1)


def positive_weights(
    items: Sequence[dict], labels: Sequence[str], limit: float = 20.0, power: float = 1.0
) -> list[float]:
    """Absent / present counts of each class, for ``ImageLabelLoss(positive_weight=...)``.

    Args:
        items: datalist items with a "label" list (None where not annotated).
        labels: class names, for the error.
        limit: largest weight, so that a class of three images does not drown the rest.
        power: of the ratio; 1 balances the classes' sums, 0.5 goes half of the way.

    Raises:
        InputError: when a class has no present or no absent label.
    """
    weights = []
    for c, name in enumerate(labels):
        values = [item["label"][c] for item in items]
        present, absent = values.count(1), values.count(0)
        if not present or not absent:
            kind = "present" if not present else "absent"
            raise InputError(
                f"no image has {name} annotated as {kind}", action="add some, or add --loss#positive_weight None"
            )
        weights.append(min((absent / present) ** power, limit))
    return weights
