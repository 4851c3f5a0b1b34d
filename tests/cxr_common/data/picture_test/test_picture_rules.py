"""Pictures that rules alone tell from radiographs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.picture_test.picture_rules import neighbour_correlation, rule_doubt


def noise(rows=300, columns=200, grain=1, seed=0):
    picture = ndimage.uniform_filter(np.random.default_rng(seed).standard_normal((rows, columns)), grain)
    return np.clip(0.5 + 0.2 * picture / picture.std(), 0, 1)


def phantom(size=128):
    return make_phantom(3, 1, PhantomConfig(size=size)).image


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (np.ones((200, 200)), "it is nearly uniform"),
        (np.zeros((200, 200)), "it is nearly uniform"),
        (np.full((200, 200), 0.4) + 0.002 * noise(200, 200), "it is nearly uniform"),
        (phantom()[:, :40], "its shorter side has 40 pixels"),
        (phantom()[:1], "its shorter side has 1 pixels"),
        (np.tile(phantom(), (1, 4)), "its sides are as 4.0 to 1"),
        (np.tile(phantom(), (4, 1)), "its sides are as 4.0 to 1"),
        (noise(), "it looks like noise"),
        (noise(1500, 1200, grain=5), "it looks like noise"),
        (noise(64, 64), "it looks like noise"),
    ],
)
def test_what_cannot_be_a_radiograph(picture, reason):
    assert rule_doubt(picture) == reason


@pytest.mark.parametrize("size", [64, 128, 512])
def test_radiographs_pass(size):
    picture = phantom(size)
    grainy = np.clip(picture + 0.1 * np.random.default_rng(0).standard_normal(picture.shape), 0, 1)
    faint = 0.05 * picture  # underexposed: what is left of the scale has a warning of its own
    cropped = picture[:, : int(size / 2.5)] if size > 160 else picture
    assert [rule_doubt(p) for p in (picture, grainy, faint, cropped, picture.T)] == [""] * 5


def test_correlation_of_neighbours():
    ramp = torch.arange(64.0).expand(64, 64)
    board = (torch.arange(64)[:, None] + torch.arange(64)) % 2
    assert neighbour_correlation(ramp) > 0.9
    assert neighbour_correlation(board.float()) == pytest.approx(-1, abs=0.05)
    assert neighbour_correlation(torch.full((64, 64), 0.5)) == 1
