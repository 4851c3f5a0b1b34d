"""Average precision and recall of boxes as COCO defines them (cocodataset.org, pycocotools 2.0.11).

Boxes are matched by MONAI's ``matching_batch``, which is pycocotools' greedy rule: detections of a class go from the
best score down, and each takes the free true box that it overlaps most. The averaging is our own, for MONAI 1.6.1's
``COCOMetric`` counts a class without true boxes as precision -1, rounds recall to float32 (so that 9 of 10 misses the
recall level 0.9), knows no object sizes, and takes no weights, without which a bootstrap is slow.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.apps.detection.metrics.matching import matching_batch
from numpy.typing import ArrayLike, NDArray

from cxr_common.boxes import box_area, pairwise_iou
from cxr_common.metrics.ranked_boxes import Detections, RankedHits, Truth, TruthLabels, annotated_images

Array = NDArray[np.float64]
#: IoU levels of the OXnet paper.
IOU_LEVELS: tuple[float, ...] = (0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75)
#: COCO's object sizes, square pixels, both ends included. They suit boxes in pixels of a network's input; on an
#: original radiograph of 2,000 pixels next to everything is large.
AREAS: dict[str, tuple[float, float]] = {
    "all": (0.0, np.inf),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, np.inf),
}
RECALL_LEVELS = np.linspace(0, 1, 101)


def coco_hits(
    detected: Sequence[Detections],
    boxes: Truth,
    box_labels: TruthLabels,
    num_classes: int,
    levels: Sequence[float] = IOU_LEVELS,
    area: tuple[float, float] = AREAS["all"],
    max_detections: int = 100,
) -> list[list[RankedHits]]:
    """Match detections to true boxes, one to one.

    Args:
        detected: detections of N images.
        boxes: true boxes of each; None = not annotated.
        box_labels: their class indices.
        num_classes: C.
        levels: T IoU levels, each enough for a match.
        area: true boxes outside are ignored, and so are detections that match those, or nothing while outside
            themselves.
        max_detections: of an image and class, the best ones.

    Returns:
        T lists of C. Detections with equal scores rank in the order of the images, as in pycocotools.
    """
    images = list(annotated_images(detected, boxes, box_labels))
    matched = matching_batch(
        iou_fn=pairwise_iou,
        iou_thresholds=levels,
        pred_boxes=[i.boxes for i in images],
        pred_classes=[i.classes for i in images],
        pred_scores=[i.scores for i in images],
        gt_boxes=[i.truth for i in images],
        gt_classes=[i.truth_classes for i in images],
        gt_ignore=[_outside(i.truth, area) for i in images],
        max_detections=max_detections,
    )
    found: list[list[tuple]] = [[] for _ in range(num_classes)]
    truths = np.zeros((num_classes, len(boxes)))
    for image, results in zip(images, matched, strict=True):
        for c, result in results.items():
            own = image.classes == c
            order = np.argsort(-image.scores[own], kind="mergesort")[:max_detections]  # as matching_batch
            outside = _outside(image.boxes[own][order], area)
            hit = result["dtMatches"].astype(bool)
            ignored = np.where(hit, result["dtIgnore"].astype(bool), outside)
            found[c].append((np.full(len(order), image.place), result["dtScores"], hit, ignored))
            truths[c, image.place] = np.count_nonzero(result["gtIgnore"] == 0)
    per_class = [_ranked(found[c], truths[c], len(levels)) for c in range(num_classes)]
    return [[hits[t] for hits in per_class] for t in range(len(levels))]


def average_precisions(hits: Sequence[Sequence[RankedHits]], weights: ArrayLike | None = None) -> Array:
    """Mean interpolated precision at 101 levels of recall.

    Args:
        hits: T lists of C, from :func:`coco_hits`.
        weights: (..., N), one per image; default 1.

    Returns:
        (..., T, C); NaN for a class without true boxes (pycocotools: -1, left out of means, as NaN is here).
    """
    return np.stack([np.stack([_average_precision(h, weights) for h in row], axis=-1) for row in hits], axis=-2)


def maximal_recalls(hits: Sequence[Sequence[RankedHits]], weights: ArrayLike | None = None) -> Array:
    """Part of the true boxes found at all, COCO's AR before averaging; arguments and shape as average_precisions."""
    return np.stack([np.stack([_recall(h, weights) for h in row], axis=-1) for row in hits], axis=-2)


def _average_precision(hits: RankedHits, weights: ArrayLike | None) -> Array:
    weight, above, total = hits.weighted(weights)
    true = weight.cumsum(-1)
    precision = _divide(true, true + above, 0.0)
    # Between hits precision only falls, so its envelope and its jumps in recall are at the hits.
    envelope = np.maximum.accumulate(precision[..., ::-1], axis=-1)[..., ::-1]
    reached = np.searchsorted(RECALL_LEVELS, _divide(true, total[..., None], 0.0), side="right")
    steps = np.diff(reached, prepend=0, axis=-1)
    return np.where(total > 0, (envelope * steps).sum(-1) / len(RECALL_LEVELS), np.nan)


def _recall(hits: RankedHits, weights: ArrayLike | None) -> Array:
    weight, _, total = hits.weighted(weights)
    return _divide(weight.sum(-1), total, np.nan)


def _ranked(found: Sequence[tuple], truths: Array, levels: int) -> list[RankedHits]:
    if not found:
        return [RankedHits.build([], [], [], truths) for _ in range(levels)]
    image, scores = (np.concatenate([f[k] for f in found]) for k in (0, 1))
    hit, ignored = (np.concatenate([f[k] for f in found], axis=1) for k in (2, 3))
    order = np.argsort(-scores, kind="mergesort")
    image, hit, ignored = image[order], hit[:, order], ignored[:, order]
    ranked = []
    for t in range(levels):
        true, false = hit[t] & ~ignored[t], ~hit[t] & ~ignored[t]
        ranked.append(RankedHits.build(image[true], image[false], true.cumsum()[false], truths))
    return ranked


def _outside(boxes: Array, area: tuple[float, float]) -> NDArray[np.bool_]:
    size = box_area(boxes)
    return (size < area[0]) | (size > area[1])


def _divide(part: Array, whole: Array, otherwise: float) -> Array:
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, otherwise), where=whole > 0)
