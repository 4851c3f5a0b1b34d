"""Losses of the inter-pixel relation network (Ahn 2019, arXiv 1904.05044, section 3.3)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import nn

from cxr_common.refinement.affinity import affinities, shifted
from cxr_common.refinement.paths import half_plane_offsets

IGNORE = 255
_EPSILON = 1e-5  # as published, in means and logarithms


class InterPixelLosses(NamedTuple):
    """Means over the pairs of each kind; all scalars.

    Attributes:
        background: -log affinity of two background pixels.
        foreground: -log affinity of two pixels of one class.
        negative: -log (1 - affinity) of two pixels of different classes.
        displacement_foreground: distance (L1, cells) between the centres that two pixels of one class point to.
        displacement_background: difference (L1, cells) of the displacements of two background pixels.
    """

    background: torch.Tensor
    foreground: torch.Tensor
    negative: torch.Tensor
    displacement_foreground: torch.Tensor
    displacement_background: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The published sum of means."""
        positive = (self.background + self.foreground) / 2
        return (positive + self.negative) / 2 + (self.displacement_foreground + self.displacement_background) / 2


def inter_pixel_losses(
    boundary: torch.Tensor, displacement: torch.Tensor, label: torch.Tensor, radius: int = 10
) -> InterPixelLosses:
    """Losses of one labelling or several, pairs of the whole batch together.

    Args:
        boundary: (N, 1, X, Y) probabilities.
        displacement: (N, 2, X, Y) cells along x and y.
        label: (N, X, Y) integers: 0 background, 1 and up a class, 255 ignored; (N, T, X, Y) for T labellings.
        radius: pairs nearer than this many cells count.

    Returns:
        Scalars; (T,) each for T labellings.
    """
    labels = label[:, None] if label.ndim == 3 else label
    # Only images with something to learn from count, and paths and logarithms are the same for all their labellings.
    image, task = (labels != IGNORE).flatten(2).any(2).nonzero(as_tuple=True)
    used, place = image.unique(return_inverse=True)
    affinity = affinities(boundary[used], radius)
    attract, repel = -torch.log(affinity + _EPSILON), -torch.log(1 + _EPSILON - affinity)
    displacement, labels = displacement[used], labels[image, task]
    sums, counts = [], []
    source, from_source = shifted(labels, (0, 0), radius), shifted(displacement, (0, 0), radius)
    # unbind, not an index an offset: the gradient of an index is as large as all offsets.
    for offset, near, far in zip(half_plane_offsets(radius), attract.unbind(1), repel.unbind(1), strict=True):
        target = shifted(labels, offset, radius)
        known = (source != IGNORE) & (target != IGNORE)
        equal = known & (source == target)
        kinds = [(equal & (source == 0)), (equal & (source > 0)), (known & (source != target))]
        background, foreground, negative = (kind.to(boundary.dtype) for kind in kinds)
        difference = from_source - shifted(displacement, offset, radius)
        # Two pixels of one thing point to one centre: p + D(p) = q + D(q).
        apart = (difference - difference.new_tensor(offset)[None, :, None, None]).abs().sum(1)
        parts = (
            background * near[place],
            foreground * near[place],
            negative * far[place],
            foreground * apart[place],
            background * difference.abs().sum(1)[place],
        )
        sums.append(torch.stack([part.sum((1, 2)) for part in parts]))
        counts.append(torch.stack([kind.sum((1, 2)) for kind in (background, foreground, negative)]))
    number = 1 if label.ndim == 3 else label.shape[1]
    total = boundary.new_zeros(5, number).index_add(1, task, torch.stack(sums).sum(0))
    n_background, n_foreground, n_negative = boundary.new_zeros(3, number).index_add(
        1, task, torch.stack(counts).sum(0)
    )
    means = (
        total[0] / (n_background + _EPSILON),
        total[1] / (n_foreground + _EPSILON),
        total[2] / (n_negative + _EPSILON),
        total[3] / (2 * n_foreground + _EPSILON),
        total[4] / (2 * n_background + _EPSILON),
    )
    return InterPixelLosses(*(mean[0] if label.ndim == 3 else mean for mean in means))


class InterPixelLoss(nn.Module):
    """Total loss of the network's output against relation labels.

    With several labellings (one per finding, as in CheXseg) the loss is their mean. CheXseg's code adds up a sum that
    grows from finding to finding, so that the first weighs most; that is not reproduced.

    Args:
        radius: pairs nearer than this many cells count; 10 as published.
    """

    def __init__(self, radius: int = 10) -> None:
        super().__init__()
        self.radius = radius

    def forward(self, output: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        """Loss of outputs (N, 3, X, Y), as :class:`InterPixelRelationNetwork` gives them, and labels.

        Args:
            output: boundary logits and displacements.
            label: (N, T, X, Y) integers for T labellings: 0 background, 1 and up a class, 255 ignored. A labelling
                that is 255 everywhere in the batch does not count.
        """
        known = (label != IGNORE).flatten(2).any(2).any(0)
        if not bool(known.any()):
            return output.float().sum() * 0  # the sum leaves float16
        boundary, displacement = torch.sigmoid(output[:, :1].float()), output[:, 1:].float()
        return inter_pixel_losses(boundary, displacement, label[:, known], self.radius).total.mean()
