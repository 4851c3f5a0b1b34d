from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cxr_common.metrics.boundary import boundary_f_score, outline


def square(low, high, size=40):
    mask = np.zeros((size, size), bool)
    mask[low:high, low:high] = True
    return mask


def test_outline_of_a_square():
    ring = outline(square(10, 20))
    assert ring.sum() == 4 * 10 - 4
    assert not ring[11:19, 11:19].any()
    assert outline(np.ones((5, 5))).sum() == 16


def test_against_every_pair_of_points():
    rng = np.random.default_rng(0)
    for _ in range(5):
        a, b = (rng.random((2, 24, 30)) < 0.4).astype(int)
        near = 0.05 * np.hypot(24, 30)
        d = cdist(np.argwhere(outline(a)), np.argwhere(outline(b)))
        precision, recall = (d.min(1) <= near).mean(), (d.min(0) <= near).mean()
        expected = 2 * precision * recall / (precision + recall)
        assert boundary_f_score(a, b, 0.05) == pytest.approx(expected)


def test_values_that_are_known():
    assert boundary_f_score(square(10, 20), square(10, 20)) == 1
    assert boundary_f_score(square(10, 20), square(11, 21), 2 / np.hypot(40, 40)) == 1
    assert boundary_f_score(square(2, 6), square(30, 36)) == 0
    assert boundary_f_score(square(0, 0), square(3, 9)) == 0
    assert np.isnan(boundary_f_score(square(0, 0), square(0, 0)))
    with pytest.raises(ValueError, match="same shape"):
        boundary_f_score(square(1, 2), np.zeros((3, 3)))
