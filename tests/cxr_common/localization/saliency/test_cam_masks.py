"""The published rules for masks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr_common.axes import picture_to_tensor
from cxr_common.localization import label_above_background, otsu_masks
from tests import golden


@pytest.mark.parametrize("i", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_background_golden(i, dtype):
    expected = golden.load("wsmis_background")
    maps = picture_to_tensor(torch.from_numpy(expected[f"maps{i}"])).to(dtype)
    height, width = expected[f"size{i}"].tolist()
    labels = label_above_background(maps, expected[f"classes{i}"].tolist(), (width, height))
    different = labels.numpy() != picture_to_tensor(expected[f"label{i}"])
    assert different.sum() <= expected[f"n_within_1e5{i}"]


def test_background_by_hand():
    maps = torch.tensor([[[0.0, 10.0], [0.0, 2.0]], [[-5.0, 9.0], [8.0, -1.0]]])
    # The largest: 0, 10, 8, 2; threshold 2, which is itself background.
    labels = label_above_background(maps, [4, 0], (2, 2))
    assert labels.tolist() == [[0, 5], [1, 0]]


def test_maps_of_zeros_are_all_background():
    assert (label_above_background(torch.zeros(2, 4, 4), [0, 3], (8, 6)) == 0).all()


def test_background_needs_a_class_a_map():
    with pytest.raises(ValueError, match="as many classes"):
        label_above_background(torch.zeros(2, 4, 4), [0], (8, 8))
    with pytest.raises(ValueError, match="at least one"):
        label_above_background(torch.zeros(0, 4, 4), [], (8, 8))


@pytest.mark.parametrize("i", [0, 1])
def test_otsu_golden(i):
    expected = golden.load("chexseg_otsu")
    mask = otsu_masks(picture_to_tensor(expected[f"map{i}"]))
    assert np.array_equal(mask, picture_to_tensor(expected[f"filled{i}"]).astype(bool))


def test_otsu_fills_holes_and_drops_single_pixels():
    heat = np.full((2, 12, 10), 0.1)
    diamond = [(2, 4), (3, 3), (3, 5), (4, 2), (4, 6), (5, 3), (5, 5), (6, 4)]  # closed over corners only
    heat[0][tuple(np.transpose(diamond))] = 0.9
    heat[0, 4, 4] = 0.9  # an island inside is filled over
    heat[0, 10, 8] = 0.9  # alone
    heat[1, 9, 7] = heat[1, 10, 8] = 0.9  # two that touch at a corner are one part
    masks = otsu_masks(heat)
    x, y = np.indices((12, 10))
    assert np.array_equal(masks[0], np.abs(x - 4) + np.abs(y - 4) <= 2)
    assert np.argwhere(masks[1]).tolist() == [[9, 7], [10, 8]]


def test_otsu_of_constant_maps_is_empty():
    assert not otsu_masks(np.stack((np.zeros((4, 5)), np.ones((4, 5)), np.full((4, 5), 0.3)))).any()


@pytest.mark.parametrize("bad", [np.nan, -0.1, 1.1])
def test_otsu_refuses_what_is_no_heatmap(bad):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        otsu_masks(np.array([[0.0, bad]]))
