"""Per-class score thresholds of a detector from validation data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from monai.apps.detection.metrics.matching import matching_batch

from cxr_common.boxes import pairwise_iou
from cxr_common.findings.thresholds import DEFAULT_DECISION
from cxr_common.metrics.ranked_boxes import Detections, Truth, TruthLabels, annotated_images

#: Fewest true boxes of a class that its threshold is tuned on.
MIN_BOXES = 5
#: Smallest of a class's largest F1 at which it counts as learned.
LEAST_F1 = 0.1


def tune_box_thresholds(
    detected: Sequence[Detections],
    boxes: Truth,
    box_labels: TruthLabels,
    labels: Sequence[str],
    iou: float = 0.4,
    min_boxes: int = MIN_BOXES,
    least_f1: float = LEAST_F1,
) -> dict[str, float]:
    """The score from which boxes have the largest F1, of each class.

    Boxes are matched one to one as for average precision, so a second box on a finding is a false positive. The
    threshold lies half way to the next lower score; of equal F1 the highest threshold is taken.

    Args:
        detected: detections of N images, low scores included.
        boxes: true boxes of each in the same pixels; None = not annotated.
        box_labels: their class indices.
        labels: class names.
        iou: overlap that makes a hit.
        min_boxes: fewest true boxes.
        least_f1: below it a class counts as not learned. The best threshold of such a class can be one that shows a
            hundred boxes for two hits.

    Returns:
        Class -> threshold, the default of those not learned, without classes that have fewer true boxes.
    """
    images = list(annotated_images(detected, boxes, box_labels))
    matched = matching_batch(
        iou_fn=pairwise_iou,
        iou_thresholds=[iou],
        pred_boxes=[i.boxes for i in images],
        pred_classes=[i.classes for i in images],
        pred_scores=[i.scores for i in images],
        gt_boxes=[i.truth for i in images],
        gt_classes=[i.truth_classes for i in images],
    )
    thresholds = {}
    for c, name in enumerate(labels):
        own = [result[c] for result in matched if c in result]
        total = sum(np.count_nonzero(result["gtIgnore"] == 0) for result in own)
        if total < min_boxes:
            continue
        scores = np.concatenate([result["dtScores"] for result in own])
        hits = np.concatenate([result["dtMatches"][0] for result in own]).astype(bool)
        order = np.argsort(-scores, kind="mergesort")
        scores, hits = scores[order], hits[order].cumsum()
        f1 = 2 * hits / (np.arange(1, len(hits) + 1) + total)
        f1[:-1][scores[:-1] == scores[1:]] = 0  # no threshold parts equal scores
        if not len(f1) or f1.max() < least_f1:
            thresholds[name] = DEFAULT_DECISION
            continue
        best = int(f1.argmax())
        below = scores[best + 1] if best + 1 < len(scores) else 0.0
        thresholds[name] = float((scores[best] + below) / 2)
    return thresholds
