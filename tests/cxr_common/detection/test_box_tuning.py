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


def test_a_class_that_is_not_learned_gets_the_default_and_one_with_few_boxes_none():
    boxes = [np.array([[0.0, 0, 10, 10]])] * 6
    miss = Detections(np.array([[50.0, 50, 60, 60]]), np.array([0.9]), np.array([0]))
    assert tune_box_thresholds([miss] * 6, boxes, [[0]] * 6, ["a", "b"]) == {"a": 0.5}
    assert tune_box_thresholds([miss] * 2, boxes[:2], [[0]] * 2, ["a"]) == {}


def test_two_hits_among_a_hundred_boxes_are_chance():
    boxes = [np.array([[0.0, 0, 10, 10]])] * 6
    many = np.concatenate([[[0.0, 0, 10, 10]], np.array([[50.0, 50, 60, 60]]).repeat(50, 0)])
    scores = np.linspace(0.2, 0.3, 51)
    crowd = Detections(many, scores, np.zeros(51, int))
    nothing = Detections(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))
    detected = [crowd, crowd, *[nothing] * 4]
    assert tune_box_thresholds(detected, boxes, [[0]] * 6, ["a"]) == {"a": 0.5}
    assert tune_box_thresholds(detected, boxes, [[0]] * 6, ["a"], least_f1=0.0)["a"] < 0.2
