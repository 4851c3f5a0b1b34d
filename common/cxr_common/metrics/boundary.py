"""How well the outline of a mask follows the true outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage


def outline(mask: ArrayLike) -> NDArray[np.bool_]:
    """The pixels of a mask (X, Y) that have one of their four neighbours, or the edge of the image, outside it."""
    inside = np.asarray(mask) != 0
    return inside & ~ndimage.binary_erosion(inside)


def boundary_f_score(predicted: ArrayLike, true: ArrayLike, tolerance: float = 0.0075) -> float:
    """Boundary F1 (Csurka et al., "What is a good evaluation measure for semantic segmentation?", BMVC 2013).

    The harmonic mean of the part of the predicted outline that is near the true one, and of the part of the true
    outline that is near the predicted one.

    MONAI's surface Dice weighs the two parts by their lengths instead, so that a long ragged outline hides a miss.

    Args:
        predicted: (X, Y), non-zero inside.
        true: likewise.
        tolerance: what is near, as a part of the image's diagonal; .0075 there.

    Returns:
        In [0, 1]; 0 where one mask is empty, NaN where both are.

    Raises:
        ValueError: masks of different shapes.

    Example:
        >>> mask = np.zeros((32, 32))
        >>> mask[8:24, 8:24] = 1
        >>> boundary_f_score(mask, mask), boundary_f_score(mask, np.zeros((32, 32)))
        (1.0, 0.0)
    """
    a, b = outline(predicted), outline(true)
    if a.shape != b.shape:
        raise ValueError(f"mask {a.shape} and true mask {b.shape} must have the same shape")
    if not a.any() or not b.any():
        return 0.0 if a.any() or b.any() else float("nan")
    near = tolerance * float(np.hypot(*a.shape))
    precision = (ndimage.distance_transform_edt(~b)[a] <= near).mean()
    recall = (ndimage.distance_transform_edt(~a)[b] <= near).mean()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0
