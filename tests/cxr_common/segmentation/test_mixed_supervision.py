from __future__ import annotations

import math
from collections import Counter

import pytest
import torch
from monai.data import DataLoader
from monai.transforms import Compose, Lambdad, RandGaussianNoised
from torch.utils.data import DistributedSampler

from cxr_common.errors import InputError
from cxr_common.segmentation import MixedSupervisionDataset


def items(experts=4, pseudo=16):
    """Pseudo items first and some without masks between: the order in the datalist does not matter."""
    kinds = [("pseudo", pseudo), ("expert", experts)]
    made = [{"image": f"{kind}{i}", "mask": {"a": None}, "mask_origin": kind} for kind, n in kinds for i in range(n)]
    made.insert(3, {"image": "label only", "label": [1]})
    made.insert(9, {"image": "no class of ours", "mask": {}})
    return made


def make(experts=4, pseudo=16, epoch=1, **options):
    noise = Compose([Lambdad("mask", lambda v: torch.zeros(1, 4, 4)), RandGaussianNoised("mask", prob=1.0)])
    dataset = MixedSupervisionDataset(items(experts, pseudo), noise, progress=False, **options)
    dataset.set_epoch(epoch)
    return dataset


def names(dataset):
    return [dataset[i]["image"] for i in range(len(dataset))]


def test_experts_come_with_their_probability():
    epochs, size = 200, 50
    for probability in (0.9, 0.6, 0.3):  # the published code makes the last two .5 and .2
        dataset = make(10, 40, expert_probability=probability)
        drawn = 0
        for epoch in range(epochs):
            dataset.set_epoch(epoch)
            drawn += sum(dataset.data[i]["mask_origin"] == "expert" for i in dataset.order)
        deviation = math.sqrt(probability * (1 - probability) / (epochs * size))
        assert abs(drawn / (epochs * size) - probability) < 4 * deviation


def test_an_epoch_is_as_long_as_both_kinds_together():
    dataset = make()
    assert len(dataset) == len(names(dataset)) == 20


@pytest.mark.parametrize("epoch", range(5))
def test_items_of_a_kind_come_equally_often(epoch):
    counts = Counter(names(make(epoch=epoch, expert_probability=0.5)))
    for kind, number in (("expert", 4), ("pseudo", 16)):
        times = [counts[f"{kind}{i}"] for i in range(number)]
        assert max(times) - min(times) <= 1
    assert set(counts) <= {item["image"] for item in items() if item.get("mask")}


def test_an_epoch_depends_on_seed_and_epoch_only():
    first = make(epoch=3)
    again = make(epoch=1)
    names(again)
    again.set_epoch(3)
    assert names(again) == names(first)
    assert all(torch.equal(first[i]["mask"], again[i]["mask"]) for i in range(20))
    assert names(make(epoch=4)) != names(first)
    assert names(make(epoch=3, seed=1)) != names(first)


def test_an_item_drawn_twice_is_augmented_twice():
    dataset = make(experts=1, pseudo=5, expert_probability=1.0)
    assert names(dataset) == ["expert0"] * 6
    assert len({float(dataset[i]["mask"].sum()) for i in range(6)}) == 6


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_probabilities_at_the_ends(probability):
    kind = "expert" if probability else "pseudo"
    assert all(name.startswith(kind) for name in names(make(expert_probability=probability)))
    with pytest.raises(InputError, match="expert_probability is 1.5"):
        make(expert_probability=1.5)


@pytest.mark.parametrize(("mode", "experts", "pseudo"), [("concat", 4, 16), ("expert", 4, 0), ("pseudo", 0, 16)])
def test_the_other_modes_take_each_item_once(mode, experts, pseudo):
    expected = [f"expert{i}" for i in range(experts)] + [f"pseudo{i}" for i in range(pseudo)]
    assert names(make(mode=mode)) == expected


@pytest.mark.parametrize("replicas", [2, 3])
def test_processes_share_one_draw(replicas):
    """Each process makes its own data set and reads its part of the places."""
    parts = []
    for rank in range(replicas):
        dataset = make(epoch=2)
        sampler = DistributedSampler(dataset, num_replicas=replicas, rank=rank, seed=0)
        sampler.set_epoch(2)
        parts.append([(i, dataset[i]["image"]) for i in sampler])
    places = {place for part in parts for place in part}
    assert places == set(enumerate(names(make(epoch=2))))
    assert sum(map(len, parts)) == math.ceil(20 / replicas) * replicas


def test_worker_processes_see_the_epochs_draw():
    dataset = make(epoch=5)
    batches = [b["image"] for b in DataLoader(dataset, batch_size=4, num_workers=2)]
    assert [name for batch in batches for name in batch] == names(dataset)
