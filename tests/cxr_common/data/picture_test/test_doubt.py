"""The picture test with the weights that ship, on pictures made here."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage import data

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.picture_test import DOUBT, doubt_of
from cxr_common.data.picture_test.doubt import LOOKS, kind_doubt
from cxr_common.data.picture_test.kind_network import KINDS, WEIGHTS, KindNetwork, load_network, save_network


@pytest.fixture(scope="module")
def phantoms():
    return [make_phantom(77, index, PhantomConfig(size=256)).image for index in range(6)]


def test_radiographs_pass(phantoms):
    bordered = [np.pad(picture, ((10, 30), (20, 0))) for picture in phantoms]
    mirrored = [picture[:, ::-1] for picture in phantoms]
    faint = [0.1 + 0.1 * picture for picture in phantoms]
    marked = [picture.copy() for picture in phantoms]
    for picture in marked:
        picture[10:30, 200:240] = 1
    assert [doubt_of(p) for p in [*phantoms, *bordered, *mirrored, *faint, *marked]] == [""] * 30


@pytest.mark.parametrize(
    ("kind", "turn"),
    [
        ("upside down", lambda p: p[::-1, ::-1]),
        ("upside down", lambda p: p[::-1]),
        ("head left", np.rot90),
        ("head right", lambda p: np.rot90(p, -1)),
        ("inverted", lambda p: 1 - p),
    ],
)
def test_turned_and_inverted_radiographs_are_named(phantoms, kind, turn):
    assert [doubt_of(turn(picture)) for picture in phantoms] == [DOUBT + LOOKS[kind]] * len(phantoms)


@pytest.mark.parametrize("name", ["camera", "astronaut", "coins", "page", "moon", "grass", "text"])
def test_other_pictures(name):
    grey = getattr(data, name)().astype(np.float32) / 255
    assert doubt_of(grey.mean(-1) if grey.ndim == 3 else grey).startswith(DOUBT)


def test_a_uniform_picture_needs_no_network(monkeypatch):
    monkeypatch.setattr("cxr_common.data.picture_test.doubt.load_network", None)
    assert doubt_of(np.ones((100, 100))) == DOUBT + "it is nearly uniform"


def test_threshold_and_words():
    chances = torch.zeros(len(KINDS))
    chances[0], chances[KINDS.index("lateral")] = 0.4, 0.6
    assert kind_doubt(chances, 0.4) == ""
    assert kind_doubt(chances, 0.41) == DOUBT + "it looks like a lateral view"
    assert set(LOOKS) == set(KINDS[1:])


def test_weights_are_small_and_come_back(tmp_path):
    assert WEIGHTS.stat().st_size < 300_000
    torch.manual_seed(0)
    network, path = KindNetwork().eval(), tmp_path / "weights.npz"
    save_network(network, 0.25, path)
    loaded, threshold = load_network(path)
    x = torch.randn(3, 1, 64, 64)
    assert threshold == 0.25 and not loaded.training
    torch.testing.assert_close(loaded(x), network(x), rtol=0.01, atol=0.01)
