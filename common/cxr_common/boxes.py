"""Boxes: xyxy, half-open [x0, x1) x [y0, y1), x = column, y = row.

Arrays are float64 (n, 4). MONAI's `box_utils` computes in float32, which is too coarse to compare an overlap with a
threshold in a published table, hence own arithmetic here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Boxes = NDArray[np.float64]


class Detections(NamedTuple):
    """Detected boxes of one image.

    Attributes:
        boxes: (n, 4) xyxy, half-open.
        scores: (n,) in [0, 1], falling; metrics take any order, and any increasing function of probability.
        labels: (n,) class indices.
    """

    boxes: Boxes
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]


def as_boxes(boxes: ArrayLike) -> Boxes:
    """Boxes as a float64 array (n, 4); an empty list gives (0, 4).

    Raises:
        ValueError: the array is not (n, 4).

    Example:
        >>> as_boxes([]).shape
        (0, 4)
    """
    array = np.asarray(boxes, dtype=np.float64)
    if array.size == 0:
        return np.zeros((0, 4))
    if array.ndim != 2 or array.shape[1] != 4:
        raise ValueError(f"boxes must be (n, 4), got {array.shape}")
    return array


def xywh_to_xyxy(boxes: ArrayLike) -> Boxes:
    """Left, top, width, height (..., 4) to x0, y0, x1, y1 (..., 4).

    Example:
        >>> xywh_to_xyxy([[10, 20, 30, 40]]).tolist()
        [[10.0, 20.0, 40.0, 60.0]]
    """
    array = np.asarray(boxes, dtype=np.float64)
    return np.concatenate((array[..., :2], array[..., :2] + array[..., 2:]), axis=-1)


def xyxy_to_xywh(boxes: ArrayLike) -> Boxes:
    """x0, y0, x1, y1 (..., 4) to left, top, width, height (..., 4).

    Example:
        >>> xyxy_to_xywh([[10, 20, 40, 60]]).tolist()
        [[10.0, 20.0, 30.0, 40.0]]
    """
    array = np.asarray(boxes, dtype=np.float64)
    return np.concatenate((array[..., :2], array[..., 2:] - array[..., :2]), axis=-1)


def scale_boxes(boxes: ArrayLike, from_size: Sequence[float], to_size: Sequence[float]) -> Boxes:
    """Follow a resize of the image.

    Args:
        boxes: (n, 4) in pixels of an image of ``from_size``.
        from_size: X, Y of that image.
        to_size: X, Y after the resize.

    Returns:
        (n, 4) in pixels of the resized image, not rounded.

    Example:
        >>> scale_boxes([[0, 0, 512, 256]], from_size=(1024, 1024), to_size=(256, 128)).tolist()
        [[0.0, 0.0, 128.0, 32.0]]
    """
    factor = np.asarray(to_size, dtype=np.float64) / np.asarray(from_size, dtype=np.float64)
    return as_boxes(boxes) * np.tile(factor, 2)


def box_area(boxes: ArrayLike) -> NDArray[np.float64]:
    """Areas (n,) in square pixels; an inverted box has none.

    Example:
        >>> box_area([[0, 0, 4, 2], [3, 3, 1, 5]]).tolist()
        [8.0, 0.0]
    """
    array = as_boxes(boxes)
    return np.prod(np.clip(array[:, 2:] - array[:, :2], 0, None), axis=1)


def pairwise_intersection(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Intersection areas (n, m) of boxes ``a`` (n, 4) and ``b`` (m, 4)."""
    a, b = as_boxes(a), as_boxes(b)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.prod(np.clip(high - low, 0, None), axis=2)


def pairwise_iou(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union (n, m) of boxes ``a`` (n, 4) and ``b`` (m, 4); 0 where both are empty.

    Example:
        >>> pairwise_iou([[0, 0, 4, 4]], [[0, 0, 4, 2], [5, 5, 6, 6]]).tolist()
        [[0.5, 0.0]]
    """
    intersection = pairwise_intersection(a, b)
    return _ratio(intersection, box_area(a)[:, None] + box_area(b)[None, :] - intersection)


def pairwise_iobb(detected: ArrayLike, truth: ArrayLike) -> NDArray[np.float64]:
    """Intersection over the *detected* bounding box's area (Wang et al. 2017, section 4.2).

    Args:
        detected: (n, 4).
        truth: (m, 4).

    Returns:
        (n, m); 0 where a detected box is empty.

    Example:
        >>> pairwise_iobb(detected=[[0, 0, 4, 2]], truth=[[0, 0, 4, 4]]).tolist()
        [[1.0]]
    """
    intersection = pairwise_intersection(detected, truth)
    return _ratio(intersection, np.broadcast_to(box_area(detected)[:, None], intersection.shape))


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
