"""FROC by both rules against plain loops, repeated images, and MONAI's curve where it applies."""

from __future__ import annotations

import numpy as np
import pytest
from monai.metrics.froc import compute_froc_curve_data

from cxr_common.boxes import pairwise_iou
from cxr_common.metrics import FROC_RATES, froc_curve, froc_sensitivity, lesion_fractions, lesion_hits
from cxr_common.metrics.ranked_boxes import Detections
from tests.cxr_common.metrics.boxes import random_case, repeat


def is_hit(box, truth, rule):
    if rule == "iou":
        return pairwise_iou(box[None], truth[None])[0, 0] >= 0.4
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return truth[0] <= x < truth[2] and truth[1] <= y < truth[3]


def plain_point(case, threshold, rule, classes):
    """Lesions found, lesions, false positives and images at one threshold, by loops over boxes."""
    found = lesions = false = images = 0
    for detections, boxes, names in zip(*case):
        if boxes is None:
            continue
        images += 1
        own = [
            (np.asarray(detections.boxes[k]), detections.labels[k])
            for k in range(len(detections.scores))
            if detections.scores[k] >= threshold and detections.labels[k] in classes
        ]
        truth = [(np.asarray(b), c) for b, c in zip(boxes, names) if c in classes]
        lesions += len(truth)
        found += sum(any(c == k and is_hit(b, t, rule) for b, k in own) for t, c in truth)
        false += sum(not any(c == k and is_hit(b, t, rule) for t, c in truth) for b, k in own)
    return found, lesions, false, images


def plain_sensitivities(case, rule, classes):
    thresholds = {s for d in case[0] for s in np.asarray(d.scores).tolist()}
    points = [plain_point(case, threshold, rule, classes) for threshold in thresholds]
    return [max((f / n for f, n, wrong, images in points if wrong <= r * images + 1e-9), default=0) for r in FROC_RATES]


@pytest.mark.parametrize("rule", ["iou", "centre"])
@pytest.mark.parametrize(("seed", "ties"), [(0, None), (1, 6)])
def test_equals_plain_loops(rule, seed, ties):
    case = random_case(seed, n_images=10, levels=ties)
    hits = lesion_hits(*case, rule=rule)
    pooled = froc_sensitivity(hits)
    expected = plain_sensitivities(case, rule, {0, 1, 2})
    np.testing.assert_allclose(pooled, expected)
    assert pooled[-1] > 0 and len(set(expected)) > 2
    for c in range(3):
        np.testing.assert_allclose(froc_sensitivity(hits.of_class(c)), plain_sensitivities(case, rule, {c}))
    for threshold in (0.2, 0.5, 0.9):
        found, lesions, false, images = plain_point(case, threshold, rule, {0, 1, 2})
        assert lesion_fractions(hits, threshold) == pytest.approx((found / lesions, false / images))


def test_the_rules_differ_as_they_should():
    """A small box in the middle of a large one is hit by its centre only; two that overlap half, by both or one."""
    truth = [[0.0, 0, 100, 100]]
    small, shifted = [[40.0, 40, 60, 60]], [[40.0, 0, 140, 100]]
    for boxes, iou, centre in ((small, 0, 1), (shifted, 1, 1), ([[55.0, 0, 155, 100]], 0, 0)):
        detected = [Detections(boxes, [0.9], [0])]
        assert lesion_fractions(lesion_hits(detected, [truth], [[0]], "iou"), 0.5).lesions == iou
        assert lesion_fractions(lesion_hits(detected, [truth], [[0]], "centre"), 0.5).lesions == centre
    edge = lesion_hits([Detections([[90.0, 0, 110, 20]], [0.9], [0])], [truth], [[0]], "centre")
    assert lesion_fractions(edge, 0.5) == (0, 1)  # half-open: x = 100 is outside


def test_a_second_detection_of_a_lesion_is_no_false_positive_and_classes_do_not_mix():
    boxes = [[0.0, 0, 10, 10], [1, 0, 10, 10], [0, 0, 10, 10]]
    hits = lesion_hits([Detections(boxes, [0.9, 0.8, 0.7], [0, 0, 1])], [[boxes[0]]], [[0]])
    assert lesion_fractions(hits, 0.5) == (1, 1) and hits.false_classes.tolist() == [1]
    np.testing.assert_array_equal(froc_sensitivity(hits.of_class(0), [0.0]), [1])


@pytest.mark.parametrize("ties", [None, 5])
def test_weights_are_repeated_images(ties):
    case = random_case(2, n_images=14, levels=ties)
    counts = np.random.default_rng(1).integers(0, 3, (5, 14))
    hits = lesion_hits(*case)
    rates = (*FROC_RATES, 0.3)
    values, fractions = froc_sensitivity(hits, rates, counts), lesion_fractions(hits, 0.4, counts)
    for k, row in enumerate(counts):
        again = lesion_hits(*repeat(case, row))
        np.testing.assert_allclose(values[k], froc_sensitivity(again, rates))
        np.testing.assert_allclose([f[k] for f in fractions], lesion_fractions(again, 0.4))


def test_curve():
    case = random_case(3, n_images=20, levels=8)
    hits = lesion_hits(*case)
    false, sensitivity, thresholds = froc_curve(hits)
    for f, s, t in zip(false, sensitivity, thresholds):
        found, lesions, wrong, images = plain_point(case, t, "iou", {0, 1, 2})
        assert (f, s) == pytest.approx((wrong / images, found / lesions))
    assert (np.diff(false) >= 0).all() and (np.diff(sensitivity) >= 0).all() and (np.diff(thresholds) < 0).all()
    found = hits.score[np.isfinite(hits.score)]
    monai = compute_froc_curve_data(hits.false_score, found, len(hits.score), int(hits.annotated.sum()))
    np.testing.assert_allclose(monai[0][:-1][::-1], false[:-1])  # it has a point (0, 0), and lacks the lowest threshold
    np.testing.assert_allclose(monai[1][:-1][::-1], sensitivity[:-1])


def test_what_is_not_annotated_is_left_out_and_empty_is_not():
    truth, sure, other = [[0.0, 0, 10, 10]], Detections([[0.0, 0, 10, 10]], [0.6], [0]), [[50.0, 50, 60, 60]]
    wrong = Detections(other, [0.9], [0])
    for boxes, expected in (([truth, []], [0, 1]), ([truth, None], [1, 1])):
        hits = lesion_hits([sure, wrong], boxes, [[0], []])
        np.testing.assert_array_equal(froc_sensitivity(hits, [0.25, 0.5]), expected)


def test_without_lesions_or_images():
    hits = lesion_hits([Detections(np.zeros((0, 4)), [], [])], [[]], [[]])
    assert np.isnan(froc_sensitivity(hits)).all() and np.isnan(lesion_fractions(hits, 0.5).lesions)
    assert lesion_fractions(hits, 0.5).non_lesions == 0
    none = lesion_hits([], [], [])
    assert np.isnan(froc_sensitivity(none, weights=np.ones((2, 0)))).all()
    assert [len(part) for part in froc_curve(none)] == [0, 0, 0]


def test_an_unknown_rule_is_refused():
    with pytest.raises(ValueError, match="unknown rule 'point'"):
        lesion_hits([], [], [], "point")
