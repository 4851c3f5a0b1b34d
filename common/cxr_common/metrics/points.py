"""Point localisation: does the brightest pixel of a heatmap lie in the finding?

Hits are arrays (N, C) of 1, 0, NaN = not scored because the image has no annotation of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cxr_common.axes import argmax_point
from cxr_common.boxes import as_boxes
from cxr_common.metrics.classification import macro_average

Array = NDArray[np.float64]


def point_hits(
    heatmaps: torch.Tensor | np.ndarray, boxes: Sequence[ArrayLike | None], box_labels: Sequence[Sequence[int] | None]
) -> Array:
    """Point localisation of every image and class that has a box (Preechakul et al. 2022).

    The point is the largest pixel, the first in row-major order of the picture on ties; the class is given, no
    classification threshold gates it. It hits if x0 <= x <= x1 and y0 <= y <= y1 for any box of the class: the
    published rule x <= column <= x + w, inclusive on both sides although boxes are half-open elsewhere.

    Args:
        heatmaps: (N, C, X, Y) at the network's input size, see :func:`~cxr_common.heatmaps.upsample_heatmaps`.
        boxes: per image (n, 4) xyxy in *network-input* pixels, not rounded; None = not annotated.
        box_labels: per image n class indices.

    Returns:
        (N, C) of 1, 0, NaN = no box of that class.

    Example:
        >>> heatmaps = torch.zeros(1, 2, 8, 8)
        >>> heatmaps[0, 0, 5, 2] = 1  # column 5, row 2
        >>> point_hits(heatmaps, boxes=[[[4, 1, 7, 4]]], box_labels=[[0]]).tolist()
        [[1.0, nan]]
    """
    maps = torch.as_tensor(heatmaps)
    _same_length(len(maps), boxes, box_labels)
    return points_in_boxes(argmax_point(maps).cpu().numpy(), boxes, box_labels)


def points_in_boxes(
    points: ArrayLike, boxes: Sequence[ArrayLike | None], box_labels: Sequence[Sequence[int] | None]
) -> Array:
    """The hit rule of :func:`point_hits` for given points.

    Args:
        points: (N, C, 2) x, y.
        boxes: per image (n, 4) xyxy in the points' pixels, or None.
        box_labels: per image n class indices.

    Returns:
        (N, C) of 1, 0, NaN = no box of that class.

    Example:
        >>> points_in_boxes([[[5, 2], [0, 0]]], boxes=[[[4, 1, 7, 4], [4, 1, 7, 4]]], box_labels=[[0, 1]]).tolist()
        [[1.0, 0.0]]
    """
    p = np.asarray(points, dtype=np.float64)
    hits = np.full(p.shape[:2], np.nan)
    for n, (image_boxes, classes) in enumerate(zip(boxes, box_labels, strict=True)):
        for box, c in zip(as_boxes([] if image_boxes is None else image_boxes), classes or [], strict=True):
            inside = bool((box[:2] <= p[n, c]).all() and (p[n, c] <= box[2:]).all())
            hits[n, c] = np.fmax(hits[n, c], inside)
    return hits


def point_hits_in_masks(heatmaps: torch.Tensor | np.ndarray, masks: Sequence[Sequence[ArrayLike | None]]) -> Array:
    """Point localisation against masks, PYLON's 2020 form: the share of the largest pixels that lie in the mask.

    Args:
        heatmaps: (N, C, X, Y).
        masks: per image and class (X, Y), non-zero inside the finding; None = not annotated.

    Returns:
        (N, C) in [0, 1]; 0 or 1 unless the maximum is tied; NaN = no mask, or an empty one.
    """
    maps = torch.as_tensor(heatmaps).cpu().numpy()
    hits = np.full(maps.shape[:2], np.nan)
    for n, c, inside in _drawn(masks, maps.shape):
        hits[n, c] = inside[maps[n, c] == maps[n, c].max()].mean()
    return hits


def chexlocalize_hits(heatmaps: torch.Tensor | np.ndarray, masks: Sequence[Sequence[ArrayLike | None]]) -> Array:
    """CheXlocalize's pointing game (Saporta et al. 2022), whose mean is its hit rate.

    The point is the largest pixel, the first in row-major order of the picture on ties. It differs from
    :func:`point_hits_in_masks` where tied pixels lie on both sides of the mask's edge.

    Args:
        heatmaps: (N, C, X, Y) at the masks' size.
        masks: per image and class (X, Y), non-zero inside the finding; None = not annotated.

    Returns:
        (N, C) of 1, 0, NaN = no mask, or an empty one.
    """
    maps = torch.as_tensor(heatmaps)
    points = argmax_point(maps).cpu().numpy()
    hits = np.full(tuple(maps.shape[:2]), np.nan)
    for n, c, inside in _drawn(masks, maps.shape):
        hits[n, c] = inside[tuple(points[n, c])]
    return hits


def _drawn(
    masks: Sequence[Sequence[ArrayLike | None]], shape: Sequence[int]
) -> Iterator[tuple[int, int, NDArray[np.bool_]]]:
    """Image, class and mask of all that are annotated and not empty, for heatmaps of a shape (N, C, X, Y)."""
    for n, c in np.ndindex(*shape[:2]):
        mask = masks[n][c]
        if mask is None or not np.any(mask):
            continue
        inside = np.asarray(mask, dtype=bool)
        if inside.shape != tuple(shape[2:]):
            raise ValueError(f"mask {inside.shape} and heatmap {tuple(shape[2:])} must have the same shape")
        yield n, c, inside


@dataclass(frozen=True)
class HitRates:
    """Means of hits.

    Attributes:
        per_class: (..., C); NaN for a class without a scored image.
        micro: (...) mean over all scored (image, class) pairs, PYLON's "weighted" average.
        macro: (...) unweighted mean over the classes that have one.
    """

    per_class: Array
    micro: Array
    macro: Array


def hit_rates(hits: ArrayLike, weights: ArrayLike | None = None) -> HitRates:
    """Average hits over images and classes.

    Args:
        hits: (N, C) with NaN = not scored; also overlap hits and other values.
        weights: (..., N), one per image, such as the counts of a bootstrap replicate; default 1.

    Example:
        >>> rates = hit_rates([[1, float("nan")], [1, 0], [0, float("nan")], [1, float("nan")]])
        >>> rates.per_class.tolist(), float(rates.micro), float(rates.macro)
        ([0.75, 0.0], 0.6, 0.375)
    """
    h = np.asarray(hits, dtype=np.float64)
    w = np.ones(len(h)) if weights is None else np.asarray(weights, dtype=np.float64)
    total, count = w @ np.nan_to_num(h), w @ np.isfinite(h).astype(np.float64)
    rates = np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)
    pairs = count.sum(-1)
    pooled = np.divide(total.sum(-1), pairs, out=np.full(pairs.shape, np.nan), where=pairs > 0)
    return HitRates(rates, pooled, macro_average(rates))


def _same_length(n: int, *lists: Sequence) -> None:
    if any(len(values) != n for values in lists):
        raise ValueError(f"{n} heatmaps need as many entries of boxes and box_labels, got {[len(v) for v in lists]}")
