"""Overlap accuracy T(IoU) and T(IoBB), in the two forms that the literature mixes up.

- *Box level* (Wang et al. 2017, section 4.2): boxes are drawn round the heatmap's regions; a case is correct if any
  detected box overlaps a true one by more than T. IoBB is the intersection over the *detected* box's area.
- *Mask level* (PYLON's code, 2021): the heatmap is cut at half its maximum into one mask, and compared with the union
  of the true boxes. No boxes are fitted. "IoBB" is the intersection over that mask's area; as IoU is never above it,
  the published "IoBB or IoU" is IoBB.

Figures of the two levels are not comparable. Hits are (N, C) of 1, 0, NaN = no true box of the class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from cxr_common.boxes import Boxes, as_boxes, pairwise_iobb, pairwise_iou

Array = NDArray[np.float64]
MEASURES = {"iou": pairwise_iou, "iobb": pairwise_iobb}
#: Wang et al. 2017 cut the heatmap, scaled to [0, 255], at 60 and at 180.
WANG_LEVELS = (60 / 255, 180 / 255)


def wang_boxes(heatmap: ArrayLike, levels: Sequence[float] = WANG_LEVELS) -> Array:
    """Boxes round the isolated regions of a heatmap, at each level by itself (Wang et al. 2017).

    Args:
        heatmap: (X, Y); scaled by its minimum and maximum to [0, 1].
        levels: cuts in that range; a pixel at or above belongs to a region. Neighbours touch at corners too, which the
            paper leaves open.

    Returns:
        (n, 4) xyxy half-open in the heatmap's pixels; none for a constant map.

    Example:
        >>> heatmap = np.zeros((8, 8))
        >>> heatmap[2:5, 1:3] = 1
        >>> wang_boxes(heatmap, levels=[0.5]).tolist()
        [[2.0, 1.0, 5.0, 3.0]]
    """
    h = np.asarray(heatmap, dtype=np.float64)
    low, high = h.min(), h.max()
    if not high > low:
        return np.zeros((0, 4))
    boxes = []
    for level in levels:
        regions, _ = ndimage.label((h - low) / (high - low) >= level, structure=np.ones((3, 3)))
        boxes += [(x.start, y.start, x.stop, y.stop) for x, y in ndimage.find_objects(regions)]
    return as_boxes(boxes)


def box_overlap(
    detected: Sequence[Sequence[ArrayLike]],
    boxes: Sequence[ArrayLike | None],
    box_labels: Sequence[Sequence[int] | None],
    measure: str,
    threshold: float,
) -> tuple[Array, Array]:
    """Box-level hits and false positives (Wang et al. 2017).

    Args:
        detected: per image and class (n, 4) xyxy.
        boxes: per image (m, 4) true boxes in the same pixels; None = not annotated.
        box_labels: per image m class indices.
        measure: ``iou`` or ``iobb``.
        threshold: T; an overlap must be larger.

    Returns:
        hits (N, C): 1 where any detected box overlaps any true box of the class by more than T, and false positives
        (N, C): how many detected boxes overlap none by more than T. Both NaN where the class has no true box, so the
        mean of the latter over images is the AFP of the class among the images that have it.
    """
    n_classes = len(detected[0]) if len(detected) else 0
    hits = np.full((len(detected), n_classes), np.nan)
    false_positives = hits.copy()
    for n, c, truth in _truths(boxes, box_labels):
        overlaps = MEASURES[measure](detected[n][c], truth) > threshold
        hits[n, c] = overlaps.any()
        false_positives[n, c] = (~overlaps.any(axis=1)).sum()
    return hits, false_positives


def mask_overlap(
    heatmaps: torch.Tensor | np.ndarray,
    boxes: Sequence[ArrayLike | None],
    box_labels: Sequence[Sequence[int] | None],
    level: float = 0.5,
) -> tuple[Array, Array]:
    """Mask-level overlaps (PYLON's code).

    Args:
        heatmaps: (N, C, X, Y) at the network's input size, not negative.
        boxes: per image (n, 4) xyxy in the same pixels; None = not annotated.
        box_labels: per image n class indices.
        level: the mask is where map / max(map) > level.

    Returns:
        IoBB and IoU, each (N, C), NaN where the class has no box; a map whose maximum is 0 overlaps nothing. The
        accuracy T(IoBB) is ``hit_rates(exceeds(iobb, T))``.

    Example:
        >>> heatmaps = np.zeros((1, 1, 8, 8))
        >>> heatmaps[0, 0, 2:4, 2:4] = 1
        >>> iobb, iou = mask_overlap(heatmaps, boxes=[[[2, 2, 6, 4]]], box_labels=[[0]])
        >>> iobb.tolist(), iou.tolist()
        ([[1.0]], [[0.5]])
    """
    maps = torch.as_tensor(heatmaps).cpu().numpy()
    iobb, iou = np.full(maps.shape[:2], np.nan), np.full(maps.shape[:2], np.nan)
    for n, c, truth in _truths(boxes, box_labels):
        heatmap, union = maps[n, c], np.zeros(maps.shape[2:], dtype=bool)
        mask = heatmap / heatmap.max() > level if heatmap.max() > 0 else np.zeros_like(union)
        for x0, y0, x1, y1 in _integer_boxes(truth):
            union[max(x0, 0) : max(x1, 0), max(y0, 0) : max(y1, 0)] = True
        both, any_ = (mask & union).sum(), (mask | union).sum()
        iobb[n, c] = both / mask.sum() if mask.any() else 0
        iou[n, c] = both / any_ if any_ else 0
    return iobb, iou


def exceeds(overlap: ArrayLike, threshold: float) -> Array:
    """Hits: 1 where an overlap is above the threshold, else 0; NaN stays.

    Example:
        >>> exceeds([0.2, 0.5, float("nan")], 0.25).tolist()
        [0.0, 1.0, nan]
    """
    o = np.asarray(overlap, dtype=np.float64)
    return np.where(np.isnan(o), np.nan, o > threshold)


def _truths(
    boxes: Sequence[ArrayLike | None], box_labels: Sequence[Sequence[int] | None]
) -> Iterator[tuple[int, int, Boxes]]:
    """Yield (image, class, (m, 4) boxes) for every pair that has a box."""
    for n, (image_boxes, classes) in enumerate(zip(boxes, box_labels, strict=True)):
        truth = as_boxes([] if image_boxes is None else image_boxes)
        indices = np.asarray(classes if classes is not None else [], dtype=int)
        if len(truth) != len(indices):
            raise ValueError(f"image {n} has {len(truth)} boxes and {len(indices)} box labels")
        for c in np.unique(indices):
            yield n, int(c), truth[indices == c]


def _integer_boxes(boxes: Array) -> NDArray[np.int64]:
    # Published code truncates x, y, width and height; x1 - x0 may fall a hair short of the width it was made from.
    start, extent = boxes[:, :2], boxes[:, 2:] - boxes[:, :2] + 1e-6
    return np.concatenate((np.trunc(start), np.trunc(start) + np.trunc(extent)), axis=1).astype(np.int64)
