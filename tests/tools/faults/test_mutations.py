from __future__ import annotations

import json

import numpy as np
import pytest

from tools.faults.mutations import mutate_bytes, mutate_json

DATA = {"labels": ["A", "B"], "training": [{"image": "a.png", "label": [0, 1]}]}


@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_json])
def test_a_seed_decides_and_another_changes_something_else(mutate):
    content = json.dumps(DATA).encode()
    made = [mutate(content, np.random.default_rng(seed)) for seed in range(200)]
    assert made == [mutate(content, np.random.default_rng(seed)) for seed in range(200)]
    assert len(set(made)) > 150
    assert sum(m != content for m in made) > 180


def test_most_changed_json_is_json_still():
    content = json.dumps(DATA).encode()
    made = [mutate_json(content, np.random.default_rng(seed)) for seed in range(200)]
    sound = 0
    for changed in made:
        try:
            json.loads(changed)
            sound += 1
        except ValueError:
            pass
    assert 100 < sound < 195


def test_nothing_is_left_alone():
    rng = np.random.default_rng(0)
    assert isinstance(mutate_bytes(b"", rng), bytes)
    assert isinstance(mutate_json(b"[]", rng), bytes)
