"""Masks from saliency maps by the published rules, which need no thresholds of ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from torch.nn import functional as F

from cxr_common.extras import needed

_EIGHT_NEIGHBOURS = np.ones((3, 3), dtype=bool)


def label_above_background(
    maps: torch.Tensor, classes: Sequence[int], size: Sequence[int], fraction: float = 0.2
) -> torch.Tensor:
    """One label map of an image by the rule of WSMIS (arXiv 2007.00748, step a).

    The maps are resized bicubically. With m the largest of them at each pixel, a pixel is background unless
    m > min(m) + fraction (max(m) - min(m)); else it takes the class of the largest map.

    Args:
        maps: (n, x, y) saliency of the n classes the image has, not normalised.
        classes: n class indices.
        size: X, Y of the label map.
        fraction: of the range of m that is background.

    Returns:
        (X, Y) int64: class index + 1, 0 for background.

    Raises:
        ValueError: when there are not as many classes as maps, or none.

    Example:
        >>> maps = torch.zeros(1, 4, 4)
        >>> maps[0, :, :2] = 1
        >>> label_above_background(maps, classes=[2], size=(4, 4))[0].tolist()  # class 2 is value 3
        [3, 3, 0, 0]
    """
    if len(maps) != len(classes) or len(classes) == 0:
        raise ValueError(f"{len(maps)} maps need as many classes and at least one, got {len(classes)}")
    large = F.interpolate(maps[None], size=tuple(size), mode="bicubic", align_corners=False)[0]
    strongest, index = large.max(0)
    threshold = strongest.min() + fraction * (strongest.max() - strongest.min())
    labels = torch.as_tensor(classes, device=maps.device)[index] + 1
    return labels.where(strongest > threshold, 0)


def otsu_masks(heatmaps: ArrayLike) -> NDArray[np.bool_]:
    """Masks by the rule of CheXseg (arXiv 2102.10484, baseline pseudo-masks): each map's own Otsu threshold T.

    grey = floor(255 heat), mask = grey > T, holes filled, parts of one pixel (8 neighbours) dropped.

    Args:
        heatmaps: (..., X, Y) in [0, 1], at the size of the mask.

    Returns:
        (..., X, Y); a constant map, for which there is no threshold, gives an empty mask.

    Raises:
        ValueError: when a value is outside [0, 1] or NaN.
        InputError: scikit-image is not installed.

    Example:
        >>> heatmap = np.full((6, 6), 0.1)
        >>> heatmap[1:4, 2:4] = 0.9
        >>> int(otsu_masks(heatmap).sum())
        6
    """
    heat = np.asarray(heatmaps)
    if not ((heat >= 0) & (heat <= 1)).all():
        raise ValueError("heatmaps must lie in [0, 1]")
    otsu = needed("skimage.filters", "scikit-image", "Otsu's threshold").threshold_otsu
    grey = np.floor(heat * 255).astype(np.uint8)
    masks = np.zeros(grey.shape, dtype=bool)
    for i in np.ndindex(*grey.shape[:-2]):
        # Filling looks at 4 neighbours: an outline that is closed over corners encloses its hole.
        filled = ndimage.binary_fill_holes(grey[i] > otsu(grey[i]))
        parts, _ = ndimage.label(filled, _EIGHT_NEIGHBOURS)
        masks[i] = filled & (np.bincount(parts.ravel())[parts] > 1)
    return masks
