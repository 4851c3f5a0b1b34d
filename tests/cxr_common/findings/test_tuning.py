from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_common.axes import picture_to_tensor
from cxr_common.findings.tuning import (
    MASK_GRID,
    box_set_iou,
    tune_decision_thresholds,
    tune_mask_thresholds,
    tune_probability_thresholds,
)
from cxr_common.metrics import threshold_counts
from cxr_common.metrics.mask_counts import PROBABILITY_GRID
from tests import golden


def youden(scores, truth, threshold):
    decided = scores >= threshold
    return decided[truth == 1].mean() + (~decided)[truth == 0].mean() - 1


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000))
def test_no_other_threshold_has_a_larger_youden_index(seed):
    rng = np.random.default_rng(seed)
    truth = np.array([1] * 7 + [0] * 9)
    scores = np.round(rng.random(16), 1)  # with ties
    chosen = tune_decision_thresholds(scores[:, None], truth[:, None], ["a"], significance=1.0)["a"]
    best = max(youden(scores, truth, t) for t in np.linspace(-0.01, 1.01, 205))
    assert youden(scores, truth, chosen) == pytest.approx(best)


def test_unknown_and_uncertain_labels_do_not_count():
    scores = np.array([[0.9], [0.8], [0.85], [0.95], [0.7], [0.1], [0.2], [0.3], [0.15], [0.05], [0.99], [0.01]])
    truth = np.array([[1.0]] * 5 + [[0.0]] * 5 + [[-1.0], [np.nan]])
    assert tune_decision_thresholds(scores, truth, ["a"]) == {"a": pytest.approx(0.5)}
    assert tune_decision_thresholds(scores[:8], truth[:8], ["a"]) == {}  # too few absent


def test_a_class_at_chance_or_worse_gets_the_default():
    rng = np.random.default_rng(0)
    truth = np.repeat([[1.0], [0.0]], 40, axis=0)
    assert tune_decision_thresholds(rng.random((80, 1)) / 10, truth, ["a"]) == {"a": 0.5}
    assert tune_decision_thresholds(1 - truth * 0.9, truth, ["a"]) == {"a": 0.5}
    few = np.r_[:8, 40:48]  # in which a class can not be seen to be at chance
    assert tune_decision_thresholds(rng.random((16, 1)) / 10, truth[few], ["a"]) == {}
    assert tune_decision_thresholds(truth * 0.2 + rng.random((80, 1)) / 10, truth, ["a"])["a"] < 0.25


def test_box_set_iou_against_brute_force():
    rng = np.random.default_rng(0)
    for _ in range(20):
        boxes = []
        for _ in range(2):
            corner = rng.integers(0, 10, (rng.integers(0, 4), 2))
            boxes.append(np.concatenate((corner, corner + rng.integers(1, 8, corner.shape)), 1))
        pixels = [
            {(x, y) for x0, y0, x1, y1 in b for x in range(x0, min(x1, 12)) for y in range(y0, min(y1, 15))}
            for b in boxes
        ]
        union = len(pixels[0] | pixels[1])
        expected = len(pixels[0] & pixels[1]) / union if union else 1.0
        assert box_set_iou(boxes[0], boxes[1], (12, 15)) == pytest.approx(expected)


def test_mask_threshold_is_the_one_whose_box_fits():
    x = torch.arange(64.0)
    cone = (1 - (x[:, None] - 32).abs().maximum((x[None, :] - 32).abs()) / 32).clamp(0)  # a pyramid, side 64 (1 - t)
    maps = cone.expand(6, 2, 64, 64)
    half = 0.7 * 32 / 2  # the pyramid is above t within 32 (1 - t) of its centre
    box = [32 - half, 32 - half, 32 + half, 32 + half]
    chosen = tune_mask_thresholds(maps, [np.array([box])] * 6, [[0]] * 6, ["a", "b"])
    assert chosen["a"] == pytest.approx(0.65, abs=0.051)
    assert "b" not in chosen  # no box of it
    assert chosen["a"] in MASK_GRID


def test_images_without_annotation_are_left_out():
    maps = torch.rand(6, 1, 16, 16)
    assert tune_mask_thresholds(maps, [None] * 6, [None] * 6, ["a"]) == {}


def test_published_probability_thresholds():
    g = golden.load("chexseg_iou")
    np.testing.assert_array_equal(PROBABILITY_GRID, g["thresholds"].round(2))
    counts = threshold_counts(picture_to_tensor(g["prob"]), picture_to_tensor(g["target"]), PROBABILITY_GRID)
    labels = [f"c{i}" for i in range(10)]
    tuned = tune_probability_thresholds(counts, labels)
    np.testing.assert_allclose(list(tuned.values()), g["thresholds"][g["best_index"]])


def test_a_class_in_too_few_images_is_not_tuned():
    maps = np.full((6, 2, 4, 4), 0.2, np.float32)
    truth = [[np.ones((4, 4)), np.ones((4, 4)) if n < 4 else np.zeros((4, 4))] for n in range(6)]
    counts = threshold_counts(maps, truth, PROBABILITY_GRID)
    assert tune_probability_thresholds(counts, ["a", "b"]) == {"a": 0.0}
    assert tune_probability_thresholds(counts, ["a", "b"], min_images=4) == {"a": 0.0, "b": 0.0}
