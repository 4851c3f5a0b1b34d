import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cxr_common.findings import extract_mask, peak_point
from cxr_common.findings.extraction import peak_points, threshold_map


def test_peak_is_the_centre_of_its_pixel_in_original_pixels():
    heat = torch.zeros(4, 2)  # 4 columns, 2 rows
    heat[3, 0] = 1.0  # top right
    assert peak_point(heat, (40, 10)) == (35.0, 2.5)


def test_peaks_are_those_of_each_map():
    maps = torch.rand(3, 5, 4, generator=torch.Generator().manual_seed(0))
    maps[1] = 0.5  # all the same: the first pixel
    assert peak_points(maps, (40, 10)) == [peak_point(heat, (40, 10)) for heat in maps]
    assert peak_points(maps, (40, 10))[1] == (4.0, 1.25)


def test_regions_by_hand():
    heat = torch.zeros(8, 4)
    heat[6:8, 0:1] = 0.8  # top right
    heat[0, 3] = 0.6  # bottom left
    mask, regions = extract_mask(heat, (8, 4), 0.5, "relative")
    assert [(r.box, pytest.approx(r.score)) for r in regions] == [((6, 0, 8, 1), 0.8), ((0, 3, 1, 4), 0.6)]
    assert mask.sum() == 3
    assert mask.shape == (8, 4)


def test_diagonal_neighbours_are_one_region():
    heat = torch.zeros(4, 4)
    heat[1, 1] = heat[2, 2] = 1.0
    assert [r.box for r in extract_mask(heat, (4, 4), 0.5, "relative")[1]] == [(1, 1, 3, 3)]


def test_relative_is_a_part_of_the_maximum_and_absolute_a_probability():
    heat = torch.tensor([[0.4, 0.25, 0.1]]).T
    assert extract_mask(heat, (3, 1), 0.5, "relative")[0].ravel().tolist() == [True, True, False]
    assert extract_mask(heat, (3, 1), 0.3, "absolute")[0].ravel().tolist() == [True, False, False]
    assert extract_mask(heat, (3, 1), 0.5, "absolute")[1] == []


def test_small_regions_are_dropped_but_never_that_of_the_peak():
    heat = torch.zeros(8, 8)
    heat[0, 0] = 1.0  # the peak, one pixel
    heat[7, 7] = 0.9  # one pixel
    heat[3:6, 3:6] = 0.7
    mask, regions = extract_mask(heat, (8, 8), 0.5, "relative", min_area=4)
    assert [r.box for r in regions] == [(0, 0, 1, 1), (3, 3, 6, 6)]
    assert not mask[7, 7]


sizes = st.integers(1, 40)


@settings(deadline=None, max_examples=60)
@given(sizes, sizes, st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**31), st.floats(0, 1))
def test_whatever_the_sizes_boxes_hold_the_mask_and_the_peak(width, height, x, y, seed, threshold):
    heat = torch.from_numpy(np.random.default_rng(seed).random((x, y), dtype=np.float32))
    mask, regions = extract_mask(heat, (width, height), threshold, "relative")
    assert mask.shape == (width, height)
    covered = np.zeros_like(mask)
    for region in regions:
        x0, y0, x1, y1 = region.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
        assert mask[x0:x1, y0:y1].any(0).all() or mask[x0:x1, y0:y1].any(1).all()
        covered[x0:x1, y0:y1] = True
    assert (covered | ~mask).all()
    px, py = peak_point(heat, (width, height))
    assert mask[min(int(px), width - 1), min(int(py), height - 1)]
    assert regions[0].score == pytest.approx(float(heat.max()))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 7), st.integers(0, 4))
def test_boxes_scale_with_the_image(fx, fy, x, y):
    # One hot pixel of an 8 x 5 map in an image a whole number of times as large: its box holds the scaled pixel, and
    # reaches at most half a pixel of the map beyond it, as far as bilinear heat stays above one half.
    heat = torch.zeros(8, 5)
    heat[x, y] = 1.0
    ((x0, y0, x1, y1),) = [r.box for r in extract_mask(heat, (8 * fx, 5 * fy), 0.5, "relative")[1]]
    assert x * fx - fx / 2 <= x0 <= x * fx + fx / 2
    assert y * fy - fy / 2 <= y0 <= y * fy + fy / 2
    assert (x + 0.5) * fx - 0.5 <= x1 <= (x + 1.5) * fx
    assert (y + 0.5) * fy - 0.5 <= y1 <= (y + 1.5) * fy


def test_a_region_far_below_the_peak_is_noise():
    heatmap = torch.zeros(32, 32)
    heatmap[4:8, 4:8] = 0.8
    heatmap[20:24, 4:8] = 0.3
    heatmap[20:24, 20:24] = 0.1
    mask, regions = extract_mask(heatmap, (32, 32), 0.01, "relative")
    assert [round(r.score, 3) for r in regions] == [0.8, 0.3]
    assert not mask[22, 22]


def test_with_no_least_peak_every_region_stays():
    heatmap = torch.zeros(32, 32)
    heatmap[4:8, 4:8] = 0.8
    heatmap[20:24, 20:24] = 0.1
    mask, regions = extract_mask(heatmap, (32, 32), 0.05, "absolute", min_peak=0)
    assert [round(r.score, 3) for r in regions] == [0.8, 0.1]
    np.testing.assert_array_equal(mask, heatmap.numpy() > 0.05)


def test_a_map_is_resized_before_it_is_thresholded():
    heatmap = torch.tensor([[0.0], [1.0]])  # two columns
    mask, resized = threshold_map(heatmap, (8, 1), 0.3, "absolute")
    expected = np.clip((np.arange(8) + 0.5) / 4 - 0.5, 0, 1)
    np.testing.assert_allclose(resized[:, 0], expected)
    np.testing.assert_array_equal(mask[:, 0], expected > 0.3)
    np.testing.assert_array_equal(threshold_map(heatmap / 2, (8, 1), 0.3, "relative")[0], mask)


@pytest.mark.parametrize(("mode", "threshold"), [("absolute", 0.5), ("relative", 1.0)])
def test_a_pixel_at_the_threshold_is_outside(mode, threshold):
    assert not threshold_map(torch.full((4, 4), 0.5), (8, 8), threshold, mode)[0].any()
