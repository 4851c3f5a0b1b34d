from __future__ import annotations

import numpy as np
import pytest

from cxr_common.errors import InputError
from cxr_common.training import WeightedEpochSampler, sampling_chances

ITEMS = [
    {"source": "nih", "label": [0, 1]},
    {"source": "nih", "label": [0, None]},
    {"source": "nih", "label": [-1, 0]},
    {"source": "phantom", "label": [1, 1]},
]


def sampler_of(chances, **options):
    return WeightedEpochSampler([0] * len(chances), chances, **options)


def test_chances_by_source_and_by_what_is_present():
    chances = {"nih": {"present": 1, "absent": 0.25}, "phantom": 0.5}
    assert sampling_chances(ITEMS, chances) == [1.0, 0.25, 0.25, 0.5]
    assert sampling_chances(ITEMS, None) == [1.0] * 4


@pytest.mark.parametrize(
    ("chances", "message"),
    [
        ({"nih": 1}, "source 'phantom' has no chance"),
        ({"nih": {"present": 1}, "phantom": 1}, "no chance for absent"),
        ({"nih": 1, "phantom": -1}, "is -1"),
        ({"nih": True, "phantom": 1}, "is True"),
        ({"nih": float("nan"), "phantom": 1}, "is nan"),
    ],
)
def test_chances_that_make_no_sense_are_refused(chances, message):
    with pytest.raises(InputError, match=message):
        sampling_chances(ITEMS, chances)


def test_images_come_as_often_as_their_chances_say_and_never_twice():
    sampler = sampler_of([1.0] * 100 + [0.25] * 400 + [0.0] * 50, size=50, seed=3)
    counts = np.zeros(550)
    for epoch in range(300):
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert len(drawn) == len(sampler) == len(set(drawn)) == 50
        counts[drawn] += 1
    assert counts[500:].sum() == 0
    # Without replacement the frequent ones are drawn a little less than four times as often.
    assert counts[:100].mean() / counts[100:500].mean() == pytest.approx(4, rel=0.12)


def test_an_epoch_depends_on_seed_and_epoch_alone():
    first, second = (sampler_of([1, 2, 3, 4, 5], seed=1) for _ in range(2))
    list(first)
    first.set_epoch(4)
    second.set_epoch(4)
    assert list(first) == list(second)
    second.set_epoch(5)
    orders = {tuple(sampler_of([1, 2, 3, 4, 5], seed=s)) for s in range(5)}
    assert len(orders) > 1 and tuple(first) != tuple(second)


def test_processes_share_an_epoch():
    whole = list(sampler_of([1.0] * 11, size=8, seed=0))
    parts = [list(sampler_of([1.0] * 11, size=8, seed=0, num_replicas=2, rank=r)) for r in range(2)]
    assert sorted(parts[0] + parts[1]) == sorted(whole) and len(parts[0]) == len(parts[1]) == 4


def test_no_chance_at_all_is_refused():
    with pytest.raises(InputError, match="no image has a chance"):
        sampler_of([0.0, 0.0])
