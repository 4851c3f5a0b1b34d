"""Score thresholds of boxes against an exhaustive search."""

from __future__ import annotations

import numpy as np
import pytest

from cxr_common.boxes import pairwise_iou
from cxr_common.detection.box_tuning import tune_box_thresholds
from cxr_common.metrics.ranked_boxes import Detections
from tests.cxr_common.metrics.boxes import random_case

LABELS = ["a", "b", "c"]


def f1(detected, boxes, names, c, threshold, iou=0.4):
    """F1 of class c, matched greedily, image by image."""
    hits = found = total = 0
    for d, true, classes in zip(detected, boxes, names, strict=True):
        if true is None:
            continue
        free = np.asarray(true, float).reshape(-1, 4)[np.asarray(classes, int) == c]
        total += len(free)
        keep = np.flatnonzero((np.asarray(d.labels) == c) & (np.asarray(d.scores) >= threshold))
        found += len(keep)
        for index in keep[np.argsort(-np.asarray(d.scores)[keep], kind="mergesort")]:
            overlaps = pairwise_iou([d.boxes[index]], free)[0]
            if len(free) and overlaps.max() >= iou:
                hits += 1
                free = np.delete(free, overlaps.argmax(), 0)
    return 2 * hits / max(found + total, 1)


@pytest.mark.parametrize("seed", [0, 1])
def test_no_threshold_does_better(seed):
    case = random_case(seed, n_images=15)
    tuned = tune_box_thresholds(*case, LABELS)
    for c, name in enumerate(LABELS):
        best = max(f1(*case, c, t) for t in np.linspace(0, 1, 201))
        assert f1(*case, c, tuned[name]) == pytest.approx(best) or f1(*case, c, tuned[name]) > best


def test_a_class_with_few_boxes_or_no_hit_keeps_the_default():
    boxes = [np.array([[0.0, 0, 10, 10]])] * 6
    detected = [Detections(np.array([[50.0, 50, 60, 60]]), np.array([0.9]), np.array([0]))] * 6
    assert tune_box_thresholds(detected, boxes, [[0]] * 6, ["a", "b"]) == {"a": 0.5, "b": 0.5}
    assert tune_box_thresholds(detected[:2], boxes[:2], [[0]] * 2, ["a"]) == {"a": 0.5}
