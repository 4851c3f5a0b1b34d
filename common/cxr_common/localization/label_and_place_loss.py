"""Learning where a finding is from knowing where it may be."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn
from torch.nn import functional as F


def place_loss(maps: torch.Tensor, label: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    r"""Cross-entropy of the point drawn from a map's softmax lying where the finding may be.

    .. math:: -\log \sum_{p \in P} \frac{\exp m_p}{\sum_q \exp m_q}

    for the map :math:`m` of each class that is present and its place :math:`P`. It asks of the largest pixels to lie in
    the place and nothing of a map's level, so that it goes with any pooling of the map to a class logit. Ours; where
    the place is exact, it is the likelihood of a hit in the pointing game (Zhang 2016, arXiv 1608.00507).

    Args:
        maps: (N, C, x, y) logits.
        label: (N, C); 1 where present. Other values do not count.
        place: (N, C, X, Y), above 0 where a finding may lie; reduced to the map's size by its maximum.

    Returns:
        A scalar, the mean over the present classes of all images; 0 where there are none.

    Example:
        >>> place = torch.zeros(1, 1, 4, 4)
        >>> place[..., :2] = 1  # half of the image
        >>> round(place_loss(torch.zeros(1, 1, 4, 4), torch.ones(1, 1), place).item(), 4)  # log 2
        0.6931
    """
    maps = maps.to(torch.promote_types(maps.dtype, torch.float32))
    allowed = F.adaptive_max_pool2d(place.to(maps), maps.shape[-2:]).flatten(2) > 0
    counted = (label == 1) & allowed.any(-1)
    if not counted.any():
        return maps.sum() * 0
    logits, allowed = maps.flatten(2)[counted], allowed[counted]
    inside = logits.masked_fill(~allowed, -torch.inf).logsumexp(-1)
    return (logits.logsumexp(-1) - inside).mean()


class LabelAndPlaceLoss(nn.Module):
    """A loss of image labels plus :func:`place_loss`.

    Args:
        label_loss: of logit maps (N, C, x, y) and labels (N, C).
        weight: of the second.
    """

    def __init__(self, label_loss: nn.Module, weight: float = 1.0) -> None:
        super().__init__()
        self.label_loss, self.weight = label_loss, weight

    def forward(self, maps: torch.Tensor, target: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Loss of logit maps (N, C, x, y) against a mapping with "label" (N, C) and "place" (N, C, X, Y)."""
        return self.label_loss(maps, target["label"]) + self.weight * place_loss(maps, target["label"], target["place"])
