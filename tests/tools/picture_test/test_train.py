"""A training in small, and the figures' form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr_common.data.picture_test.kind_network import KINDS, KindNetwork
from tools.picture_test.score import share
from tools.picture_test.train import Material, Recipe, lateral_pictures, train


def test_a_small_training_is_replayed_by_its_seed():
    y = np.linspace(0, 255, 96).astype(np.uint8)
    good = torch.from_numpy(np.tile(y[:, None], (40, 1, 96)))
    lateral, other = torch.from_numpy(lateral_pictures(0, 6)), torch.randint(0, 256, (6, 96, 96), dtype=torch.uint8)
    material = Material(good, lateral, other, good[:10], {})
    recipe = Recipe(epochs=1, batch_size=16, parts=4)
    (first, threshold), (again, _) = train(material, recipe), train(material, recipe)
    assert isinstance(first, KindNetwork) and 0 < threshold <= 0.5
    assert first(torch.zeros(2, 1, 64, 64)).shape == (2, len(KINDS))
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), again.state_dict().values()))


def test_share_has_an_exact_interval():
    found = share(0, 100)
    assert found["value"] == 0 and found["low"] == 0
    assert found["high"] == pytest.approx(1 - 0.025 ** (1 / 100))
