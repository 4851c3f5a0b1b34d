import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from cxr_common.metrics import (
    auroc,
    average_precision,
    image_label_scores,
    macro_average,
    micro,
    per_class,
    support_average,
)

REFERENCE = {auroc: roc_auc_score, average_precision: average_precision_score}


@st.composite
def cases(draw):
    """Scores with many ties, labels that hold both classes, and integer weights that leave both some weight."""
    n = draw(st.integers(2, 40))
    scores = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    labels = draw(st.lists(st.sampled_from([0, 1]), min_size=n, max_size=n))
    labels[:2] = [0, 1]
    weights = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    weights[:2] = [max(w, 1) for w in weights[:2]]
    return np.array(scores, float), np.array(labels, float), np.array(weights, float)


@pytest.mark.parametrize("metric", REFERENCE)
@given(case=cases())
def test_equals_scikit_learn_with_ties_and_weights(metric, case):
    scores, labels, weights = case
    reference = REFERENCE[metric]
    assert metric(scores, labels) == pytest.approx(reference(labels, scores), abs=1e-12)
    expected = reference(labels, scores, sample_weight=weights)
    assert metric(scores, labels, weights) == pytest.approx(expected, abs=1e-12)
    repeated = np.repeat(np.arange(len(scores)), weights.astype(int))
    assert metric(scores, labels, weights) == pytest.approx(metric(scores[repeated], labels[repeated]), abs=1e-12)


@given(case=cases())
def test_auroc_is_the_probability_of_a_right_order(case):
    scores, labels, weights = case
    wins = total = 0.0
    for i in np.flatnonzero(labels == 1):
        for j in np.flatnonzero(labels == 0):
            total += weights[i] * weights[j]
            wins += weights[i] * weights[j] * ((scores[i] > scores[j]) + (scores[i] == scores[j]) / 2)
    assert auroc(scores, labels, weights) == pytest.approx(wins / total, abs=1e-12)


@given(case=cases())
def test_auroc_turns_round_with_scores_and_labels_and_keeps_with_rising_scores(case):
    scores, labels, weights = case
    value = auroc(scores, labels, weights)
    assert auroc(-scores, labels, weights) == pytest.approx(1 - value, abs=1e-12)
    assert auroc(scores, 1 - labels, weights) == pytest.approx(1 - value, abs=1e-12)
    assert auroc(np.exp(scores), labels, weights * 7) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("metric", REFERENCE)
def test_uncertain_and_unannotated_are_left_out(metric):
    scores, labels = np.array([0.1, 0.4, 0.35, 0.8, 9, np.nan]), np.array([0, 0, 1, 1, -1, np.nan])
    assert metric(scores, labels) == pytest.approx(REFERENCE[metric](labels[:4], scores[:4]), abs=1e-12)


@pytest.mark.parametrize("metric", REFERENCE)
@pytest.mark.parametrize("labels", [[1, 1], [0, 0], [-1, np.nan], [0, -1]])
def test_one_class_only_is_nan(metric, labels):
    assert np.isnan(metric([0.2, 0.7], labels))
    assert np.isnan(metric([0.2, 0.7], labels, np.ones((3, 2)))).tolist() == [True] * 3


@pytest.mark.parametrize("metric", REFERENCE)
def test_nan_score_and_no_weight_are_nan(metric):
    assert np.isnan(metric([0.2, np.nan], [0, 1]))
    assert np.isnan(metric([0.2, 0.7, 0.1], [0, 1, 1], [[0, 1, 1], [1, 0, 0]])).all()
    with pytest.raises(ValueError, match="same shape"):
        metric([1, 2], [1, 0, 1])


@pytest.mark.parametrize("metric", REFERENCE)
def test_a_stack_of_weights_is_each_by_itself(metric):
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 9, (30, 3)).astype(float), rng.integers(-1, 2, (30, 3)).astype(float)
    weights = rng.integers(0, 3, (4, 5, 30)).astype(float)
    stacked = per_class(metric, scores, labels, weights)
    assert stacked.shape == (4, 5, 3)
    for i, j in np.ndindex(4, 5):
        assert np.array_equal(stacked[i, j], per_class(metric, scores, labels, weights[i, j]))
    pooled = micro(metric, scores, labels, weights)
    assert pooled.shape == (4, 5)
    repeated = np.repeat(np.arange(30), weights[1, 2].astype(int))
    assert pooled[1, 2] == pytest.approx(metric(scores[repeated].ravel(), labels[repeated].ravel()), abs=1e-12)


def test_averages():
    rng = np.random.default_rng(1)
    scores, labels = rng.random((50, 4)), (rng.random((50, 4)) < [0.1, 0.3, 0.5, 0.7]).astype(float)
    values = per_class(auroc, scores, labels)
    for average, value in (
        ("macro", macro_average(values)),
        ("micro", micro(auroc, scores, labels)),
        ("weighted", support_average(values, labels)),
    ):
        assert value == pytest.approx(roc_auc_score(labels, scores, average=average), abs=1e-12)
    labels[:, 1] = np.nan
    values = per_class(auroc, scores, labels)
    kept = [0, 2, 3]
    assert macro_average(values) == pytest.approx(roc_auc_score(labels[:, kept], scores[:, kept]), abs=1e-12)
    weighted = roc_auc_score(labels[:, kept], scores[:, kept], average="weighted")
    assert support_average(values, labels) == pytest.approx(weighted, abs=1e-12)
    assert np.isnan(macro_average([np.nan, np.nan])) and np.isnan(support_average([np.nan], [[0]]))


def test_report():
    scores = np.array([[0.9, 0.1], [0.2, 0.2], [0.6, 0.3]])
    labels = np.array([[1, 1], [0, np.nan], [0, -1]])
    report = image_label_scores(scores, labels, ["Mass", "Nodule"])
    assert report["auroc"]["per_class"]["Mass"] == 1 and np.isnan(report["auroc"]["per_class"]["Nodule"])
    assert report["auroc"]["macro"] == 1 and report["average_precision"]["weighted"] == 1
    assert report["auroc"]["micro"] == pytest.approx(roc_auc_score([1, 0, 0, 1], [0.9, 0.2, 0.6, 0.1]))
    assert report["count"] == {"Mass": {"present": 1, "absent": 2}, "Nodule": {"present": 1, "absent": 0}}


def test_a_thousand_replicates_take_a_second_at_most():
    rng = np.random.default_rng(0)
    scores, labels = rng.random((1000, 8)), rng.integers(0, 2, (1000, 8))
    weights = rng.integers(0, 4, (1000, 1000)).astype(float)
    start = time.process_time()
    per_class(auroc, scores, labels, weights)
    assert time.process_time() - start < 3  # measured 0.2 s; a sort a replicate would take minutes in Python
