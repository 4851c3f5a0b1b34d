from __future__ import annotations

import random

import numpy as np
import torch

from cxr_common.training.random_state import get_random_state, set_random_state


def draw():
    return random.random(), float(np.random.rand()), float(np.random.randn()), torch.rand(1).item()


def test_states_survive_a_file_of_plain_values(tmp_path):
    np.random.randn()  # leaves a cached second gaussian, which is part of the state
    torch.save(get_random_state(), tmp_path / "state.pt")
    expected = draw()
    assert draw() != expected
    set_random_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert draw() == expected
