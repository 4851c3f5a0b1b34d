"""The cardiothoracic ratio of masks (Danzer 1919, American Journal of the Medical Sciences 157)."""

from __future__ import annotations

import numpy as np
from monai.transforms.utils import get_largest_connected_component_mask
from numpy.typing import NDArray


def cardiothoracic_ratio(heart: NDArray[np.bool_], lungs: NDArray[np.bool_]) -> float:
    """Width of the heart over the inner width of the chest.

    The chest is as wide as the lungs in the row where they reach farthest apart, which is about the distance between
    the inner borders of the ribs. Of the heart the largest piece counts, of the lungs the two largest. A picture that
    is stretched along one of its axes has the same ratio.

    Args:
        heart: (X, Y), axes x then y. A mask of heart and mediastinum gives the same where the heart is its widest part.
        lungs: (X, Y), both lungs.

    Returns:
        The ratio; NaN where one of the masks is empty.

    Example:
        >>> heart, lungs = np.zeros((20, 8), bool), np.zeros((20, 8), bool)
        >>> heart[7:14, 3:7] = lungs[1:7, 1:7] = lungs[14:19, 1:7] = True
        >>> round(cardiothoracic_ratio(heart, lungs), 3)
        0.389
    """
    if not heart.any() or not lungs.any():
        return float("nan")
    heart, lungs = _largest(heart, 1), _largest(lungs, 2)
    columns = np.flatnonzero(heart.any(1))
    return float(_width(columns) / max(_width(np.flatnonzero(row)) for row in lungs.T))


def _largest(mask: NDArray[np.bool_], pieces: int) -> NDArray[np.bool_]:
    return np.asarray(get_largest_connected_component_mask(mask, num_components=pieces), dtype=bool)


def _width(places: NDArray[np.intp]) -> int:
    return int(places[-1] - places[0] + 1) if len(places) else 0
