import numpy as np
import pytest
import torch

from cxr_common.axes import argmax_point
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.metrics import (
    centre_maps,
    centre_point_hits,
    hit_rates,
    point_hits,
    points_in_boxes,
    random_maps,
    random_point_hits,
)

BOXES = [[[2, 3, 6.5, 8], [5, 5, 9, 30], [0, 0, 1, 1]], None]
LABELS = [[0, 0, 1], None]


def test_random_point_is_the_mean_over_every_pixel():
    size = (16, 12)
    expected = np.zeros((2, 3))
    for x, y in np.ndindex(size):
        expected += points_in_boxes(np.full((2, 3, 2), (x, y)), BOXES, LABELS)
    hits = random_point_hits(BOXES, LABELS, 3, size)
    np.testing.assert_allclose(hits, expected / (16 * 12))
    assert np.isnan(hits[0, 2]) and np.isnan(hits[1]).all()


def test_random_maps_come_near_that_expectation():
    boxes, labels = [[[3, 2, 12, 9]]] * 4000, [[0]] * 4000
    maps = random_maps((4000, 1, 16, 12), seed=0)
    found = hit_rates(point_hits(maps, boxes, labels)).micro
    assert found == pytest.approx(hit_rates(random_point_hits(boxes[:1], labels[:1], 1, (16, 12))).micro, abs=0.03)
    assert torch.equal(maps, random_maps((4000, 1, 16, 12), seed=0))
    assert not torch.equal(maps, random_maps((4000, 1, 16, 12), seed=1))


@pytest.mark.parametrize("size", [(64, 64), (64, 96)])
def test_centre_maps_peak_at_the_centre_point(size):
    maps = upsample_heatmaps(centre_maps((1, 2, size[0] // 4, size[1] // 4)), size)
    point = argmax_point(maps)[0, 1].numpy()
    assert (np.abs(point - (np.array(size) // 2)) <= 2).all()
    assert centre_maps((1, 1, 5, 7))[0, 0, 2, 3] == 4 and centre_maps((1, 1, 5, 7))[0, 0, 0, 6] == pytest.approx(-4)
    assert centre_maps((1, 1, 1, 1)).item() == 4


def test_centre_point():
    boxes = [[[4.9, 5.9, 5.1, 6.1], [5.5, 5, 6, 7], [4, 5, 6, 5.9]]]
    np.testing.assert_array_equal(centre_point_hits(boxes, [[0, 1, 2]], 3, (10, 12)), [[1, 0, 0]])
