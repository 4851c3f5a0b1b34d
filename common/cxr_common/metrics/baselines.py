"""What a map that never looked at the image scores: the floor of every localisation figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cxr_common.boxes import as_boxes
from cxr_common.metrics.points import points_in_boxes

Array = NDArray[np.float64]


def random_point_hits(
    boxes: Sequence[ArrayLike | None], box_labels: Sequence[Sequence[int] | None], n_classes: int, size: Sequence[int]
) -> Array:
    """Expected point hits of a uniformly random pixel: exact, nothing is drawn.

    Args:
        boxes: per image (n, 4) xyxy in network-input pixels; None = not annotated.
        box_labels: per image n class indices.
        n_classes: C.
        size: X, Y of the network's input.

    Returns:
        (N, C): the share of the pixels that would hit, by the inclusive rule of
        :func:`~cxr_common.metrics.points.points_in_boxes`; NaN = no box of that class.
    """
    hits = np.full((len(boxes), n_classes), np.nan)
    xs, ys = np.arange(size[0]), np.arange(size[1])
    for n, (image_boxes, classes) in enumerate(zip(boxes, box_labels, strict=True)):
        union: dict[int, NDArray[np.bool_]] = {}
        for box, c in zip(as_boxes([] if image_boxes is None else image_boxes), classes or [], strict=True):
            inside = np.outer((box[0] <= xs) & (xs <= box[2]), (box[1] <= ys) & (ys <= box[3]))
            union[c] = union.get(c, False) | inside
        for c, inside in union.items():
            hits[n, c] = inside.mean()
    return hits


def centre_point_hits(
    boxes: Sequence[ArrayLike | None], box_labels: Sequence[Sequence[int] | None], n_classes: int, size: Sequence[int]
) -> Array:
    """Point hits of the image's centre pixel (X // 2, Y // 2); arguments and result as :func:`random_point_hits`."""
    points = np.broadcast_to([size[0] // 2, size[1] // 2], (len(boxes), n_classes, 2))
    return points_in_boxes(points, boxes, box_labels)


def random_maps(shape: Sequence[int], seed: int) -> torch.Tensor:
    """Logit maps of independent standard normal noise, for metrics without a closed form.

    Args:
        shape: (N, C, x, y) at the network's own stride.
        seed: of the draw; average the metric over several.

    Returns:
        float32 tensor of that shape.
    """
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(tuple(shape), dtype=np.float32))


def centre_maps(shape: Sequence[int]) -> torch.Tensor:
    """Logit maps that fall with the distance from the centre, from 4 there to -4 in the corners.

    Args:
        shape: (N, C, x, y); distances are relative to each axis, so half the maximum probability is an ellipse.

    Returns:
        float32 tensor of that shape.
    """
    # Whole steps from the middle, so that both sides of it are exactly equal.
    x, y = ((torch.arange(n) * 2.0 - (n - 1)) / max(n - 1, 1) for n in shape[2:])
    distance = torch.hypot(x[:, None], y[None, :]) / 2**0.5
    return (4 - 8 * distance).expand(*shape).clone()
