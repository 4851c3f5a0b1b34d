"""Centroids and instances from displacement fields."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cxr_common.refinement.instances import cluster_instances, drop_fragments, find_centroids
from tests import golden


def to_tensor(field):
    """A picture's (row, column) field as (x, y) over (X, Y)."""
    return field.transpose(0, 2, 1)[::-1]


def towards(centres, width, height, speed=0.5):
    """A field that leads every pixel to the nearest of the centres."""
    grid = np.indices((width, height), dtype=float)
    offsets = np.array(centres, dtype=float)[:, :, None, None] - grid
    nearest = (offsets**2).sum(1).argmin(0)
    return speed * np.take_along_axis(offsets, nearest[None, None], 0)[0], nearest


def same_partition(a, b):
    pairs = len(set(zip(a.ravel().tolist(), b.ravel().tolist(), strict=True)))
    return pairs == len(np.unique(a)) == len(np.unique(b))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("iterations", "name"), [(1, "_iter1"), (5, "_iter5"), (300, "")])
def test_centroids_golden(dtype, iterations, name):
    expected = golden.load("irn_instances")
    centroids = find_centroids(to_tensor(expected["dp"]).astype(dtype), iterations)
    assert np.array_equal(centroids, to_tensor(expected[f"centroids{name}"]))


def test_instances_golden():
    expected = golden.load("irn_instances")
    d = to_tensor(expected["dp"])
    instances = cluster_instances(d, find_centroids(d))
    assert same_partition(instances, expected["instance_label"].T)
    assert len(np.unique(instances[instances > 0])) == expected["n_instances"]


def test_centroids_follow_the_formula_pixel_by_pixel():
    d = np.random.default_rng(0).normal(0, 2, (2, 7, 9))
    centroids = find_centroids(d, 4)
    for start in np.ndindex(7, 9):
        x, y = map(float, start)
        for _ in range(4):
            x0, y0 = int(x), int(y)
            step = np.zeros(2)
            for i in (x0, x0 + 1):
                for j in (y0, y0 + 1):
                    weight = (1 - abs(x - i)) * (1 - abs(y - j))
                    if weight > 0:
                        step += weight * d[:, i, j]
            x, y = min(max(x + step[0], 0), 6), min(max(y + step[1], 0), 8)
        assert centroids[:, start[0], start[1]].tolist() == [round(x), round(y)]


def test_pixels_of_one_centre_are_one_instance():
    d, nearest = towards([(5, 6), (20, 8), (12, 25)], 30, 32)
    centroids = find_centroids(d)
    assert centroids[:, 0, 0].tolist() == [5, 6]
    assert same_partition(cluster_instances(d, centroids, max_length=1.0), nearest)


def test_numbers_run_row_by_row_of_the_picture():
    d, nearest = towards([(2, 20), (20, 2)], 24, 24)  # the second is higher up
    instances = cluster_instances(d, find_centroids(d), max_length=1.0)
    assert (instances[nearest == 1] == 1).all()
    assert (instances[nearest == 0] == 2).all()


def test_transposed_fields_give_transposed_instances():
    d, _ = towards([(5, 6), (20, 8), (12, 25)], 30, 32)
    turned = to_tensor(d)
    assert np.array_equal(find_centroids(turned), to_tensor(find_centroids(d)))
    assert same_partition(cluster_instances(turned, find_centroids(turned)), cluster_instances(d, find_centroids(d)).T)


def test_no_displacement_is_one_instance_and_no_step_stays():
    zero = np.zeros((2, 4, 5))
    assert np.array_equal(find_centroids(zero), np.indices((4, 5)))
    assert (cluster_instances(zero, find_centroids(zero)) == 1).all()
    assert np.array_equal(find_centroids(np.ones((2, 4, 5)), 0), np.indices((4, 5)))


def test_without_a_centre_there_is_no_instance():
    d = np.full((2, 6, 8), 3.0)
    centroids = find_centroids(d)
    assert (centroids == np.array([5, 7])[:, None, None]).all()  # kept inside
    assert (cluster_instances(d, centroids) == 0).all()


def test_centres_that_touch_at_a_corner_are_two():
    d = np.full((2, 4, 4), 9.0)
    d[:, 1, 1] = d[:, 2, 2] = 0
    assert cluster_instances(d, np.indices((4, 4))).tolist() == [[0] * 4, [0, 1, 0, 0], [0, 0, 2, 0], [0] * 4]


def test_small_fragments_are_dropped_and_the_rest_renumbered():
    instances = np.zeros((10, 20), dtype=int)
    instances[0, 0] = 1  # 1 of 200 pixels: dropped, and its number with it
    instances[2, 2:4] = 4  # exactly 1 per cent: kept
    instances[5:8, 5:9] = 7
    instances[8, 9] = 7  # touches at a corner only: a fragment of its own
    kept = drop_fragments(instances)
    assert (kept == np.where(instances == 4, 1, np.where((instances == 7) & (np.indices((10, 20))[0] < 8), 2, 0))).all()
    assert kept[8, 9] == 0
    assert instances[0, 0] == 1  # the input is not changed
    assert drop_fragments(instances, 0).max() == 3
    assert (drop_fragments(instances, 1.0) == 0).all()


def test_the_option_is_drop_fragments():
    d, _ = towards([(2, 2), (20, 20)], 40, 40)
    centroids = find_centroids(d)
    whole = cluster_instances(d, centroids, 1.0)
    assert whole.max() == 2
    assert np.array_equal(cluster_instances(d, centroids, 1.0, 0.2), drop_fragments(whole, 0.2))
    assert cluster_instances(d, centroids, 1.0, 0.2).max() == 1


@pytest.mark.parametrize(
    "bad", [np.zeros((3, 4, 4)), np.zeros((4, 4)), np.full((2, 4, 4), np.nan), np.zeros((2, 0, 4))]
)
def test_bad_fields_are_refused(bad):
    with pytest.raises(ValueError, match="displacement must be"):
        find_centroids(bad)
    with pytest.raises(ValueError, match="displacement must be"):
        cluster_instances(bad, np.zeros(bad.shape, dtype=int))


def test_bad_centroids_are_refused():
    for bad in (np.zeros((2, 5, 4), dtype=int), np.full((2, 4, 4), 4), np.full((2, 4, 4), -1)):
        with pytest.raises(ValueError, match="cells of the grid"):
            cluster_instances(np.zeros((2, 4, 4)), bad)


@pytest.mark.slow
def test_300_iterations_on_128_x_128_take_less_than_a_second():
    d, _ = towards([(20, 30), (90, 40), (60, 100)], 128, 128, speed=0.3)
    d = d + np.random.default_rng(0).normal(0, 0.5, d.shape)
    times = []
    for _ in range(3):
        start = time.process_time()  # of this process: a busy machine must not matter
        cluster_instances(d, find_centroids(d))
        times.append(time.process_time() - start)
    assert min(times) < 1, times
