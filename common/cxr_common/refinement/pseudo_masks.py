"""From propagated heatmaps to pseudo-masks, as IRNet, WSMIS and CheXseg have it."""

from __future__ import annotations

import torch
from torch.nn import functional as F

STRIDE = 4


def normalized_walk(walk: torch.Tensor, size: tuple[int, int], across_classes: bool = False) -> torch.Tensor:
    """Bring propagated maps to the image's size and to a largest value of 1.

    Args:
        walk: (N, C, x, y), not negative, on the network's grid of stride 4.
        size: (X, Y) of the image, at most four times the grid.
        across_classes: divide by the maximum over all classes, so that they compete (IRNet on photographs); else each
            class by its own (CheXseg, findings that overlap).

    Returns:
        (N, C, X, Y) in [0, 1]; zero where a map is zero everywhere.

    Raises:
        ValueError: when the grid does not cover the image.
    """
    full = F.interpolate(walk, scale_factor=STRIDE, mode="bilinear", align_corners=False)
    if full.shape[-2] < size[0] or full.shape[-1] < size[1]:
        raise ValueError(f"a grid of {tuple(walk.shape[-2:])} at stride {STRIDE} does not cover an image of {size}")
    full = full[..., : size[0], : size[1]]
    peak = full.amax((1, 2, 3) if across_classes else (2, 3), keepdim=True)
    return full / peak.where(peak > 0, 1)


def finding_masks(maps: torch.Tensor, threshold: float) -> torch.Tensor:
    """Masks of findings that may overlap: strictly above the threshold.

    Args:
        maps: (N, C, X, Y) of :func:`normalized_walk`.
        threshold: CheXseg .6; WSMIS' script .25.
    """
    return maps > threshold


def class_labels(maps: torch.Tensor, background: float = 0.25) -> torch.Tensor:
    """One label per pixel: 0 where no class exceeds the background's score, else 1 + the class.

    Args:
        maps: (N, C, X, Y) of :func:`normalized_walk` with ``across_classes``.
        background: its score, the same everywhere.

    Returns:
        (N, X, Y) int64.
    """
    plane = maps.new_full((maps.shape[0], 1, *maps.shape[2:]), background)
    return torch.cat([plane, maps], 1).argmax(1)
