from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, jaccard_score

from cxr_common.metrics import dataset_iou, image_iou
from cxr_common.metrics.label_maps import label_map_counts


@pytest.fixture
def maps():
    """Five images of different sizes, six classes of which the last never occurs, and void."""
    rng = np.random.default_rng(0)
    shapes = [(8, 12), (5, 5), (9, 4), (16, 3), (7, 7)]
    truth = [rng.choice([0, 1, 2, 3, 4, 5, 255], size=s, p=[0.4, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]) for s in shapes]
    noise = [rng.integers(0, 6, s) for s in shapes]
    predicted = [np.where((t == 255) | (rng.random(t.shape) < 0.4), n, t) for t, n in zip(truth, noise)]
    return predicted, truth


def test_voc_rule_by_brute_force(maps):
    predicted, truth = maps
    iou = dataset_iou(label_map_counts(predicted, truth, 6))
    for c in range(6):
        hits = misses = false = 0
        for p, t in zip(predicted, truth):
            for x, y in np.ndindex(t.shape):
                if t[x, y] != 255:
                    hits += p[x, y] == c and t[x, y] == c
                    misses += p[x, y] != c and t[x, y] == c
                    false += p[x, y] == c and t[x, y] != c
        assert iou[c] == pytest.approx(hits / (hits + misses + false), rel=1e-12)
    assert np.isnan(iou[6])  # in neither


def test_scikit_learn_agrees(maps):
    p, t = (np.concatenate([m.ravel() for m in part]) for part in maps)
    counted = t != 255
    iou = dataset_iou(label_map_counts(*maps, 5))
    np.testing.assert_allclose(iou, jaccard_score(t[counted], p[counted], average=None), rtol=1e-12)
    matrix = confusion_matrix(t[counted], p[counted])
    np.testing.assert_allclose(iou, matrix.diagonal() / (matrix.sum(0) + matrix.sum(1) - matrix.diagonal()))


def test_void_counts_nothing(maps):
    predicted, truth = maps
    other = [np.where(t == 255, 3, p) for p, t in zip(predicted, truth)]
    a, b = label_map_counts(predicted, truth, 5), label_map_counts(other, truth, 5)
    np.testing.assert_array_equal(a.predicted, b.predicted)
    assert a.true.sum() == sum((t != 255).sum() for t in truth)


def test_an_image_without_truth_is_left_out(maps):
    predicted, truth = maps
    some = label_map_counts(predicted, [truth[0], None, *truth[2:]], 5)
    assert np.isnan(some.true[1]).all()
    rest = label_map_counts([predicted[i] for i in (0, 2, 3, 4)], [truth[i] for i in (0, 2, 3, 4)], 5)
    np.testing.assert_array_equal(dataset_iou(some), dataset_iou(rest))
    assert np.isnan(image_iou(some)[1]).all()


def test_maps_that_do_not_fit_are_refused(maps):
    predicted, truth = maps
    with pytest.raises(ValueError, match="same shape"):
        label_map_counts(predicted, truth[::-1], 5)
    with pytest.raises(ValueError, match="must hold 0 to 4"):
        label_map_counts(predicted, truth, 4)
