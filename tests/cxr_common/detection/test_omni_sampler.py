from __future__ import annotations

from collections import Counter

import pytest
from ignite.engine import Engine
from torch.utils.data import DataLoader

from cxr_common.detection import OmniBatchSampler, mark_supervision, supervision_kind
from cxr_common.errors import InputError
from cxr_common.training import EpochSeeder


def items(boxes=7, label=5, unlabelled=4):
    kinds = [{"boxes": [[0, 0, 1, 1]], "label": [1, None]}, {"label": [None, 0]}, {"label": [None, None]}]
    return [kind for kind, n in zip(kinds, (boxes, label, unlabelled)) for _ in range(n)]


def epochs(sampler, *numbers):
    batches = []
    for epoch in numbers:
        sampler.set_epoch(epoch)
        batches += list(sampler)
    return batches


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        ({"boxes": [], "label": [None]}, "boxes"),  # annotated, none found
        ({"boxes": [[0, 0, 1, 1]]}, "boxes"),
        ({"label": [None, -1]}, "label"),
        ({"label": [0, None]}, "label"),
        ({"label": [None, float("nan")]}, "unlabelled"),
        ({"label": None}, "unlabelled"),
        ({}, "unlabelled"),
    ],
)
def test_kinds(item, kind):
    assert supervision_kind(item) == kind
    assert mark_supervision([item])[0]["supervision"] == ["boxes", "label", "unlabelled"].index(kind)


def test_batches_hold_the_configured_numbers():
    data = items()
    sampler = OmniBatchSampler(data, 2, 1, 1)
    batches = epochs(sampler, 1, 2, 3)
    assert len(sampler) == 4 and len(batches) == 12  # ceil(7 / 2) batches go through the boxes
    for batch in batches:
        assert [supervision_kind(data[i]) for i in batch] == ["boxes", "boxes", "label", "unlabelled"]


def test_every_image_comes_once_before_any_comes_again():
    batches = epochs(OmniBatchSampler(items(), 2, 1, 1, batches=5), *range(14))  # 140 boxes, 70 labels, 70 unlabelled
    for places, pool in ((slice(0, 2), 7), (slice(2, 3), 5), (slice(3, 4), 4)):
        drawn = [i for batch in batches for i in batch[places]]
        for start in range(0, len(drawn) - pool + 1, pool):
            assert len(set(drawn[start : start + pool])) == pool
    passes = [tuple(i for batch in batches for i in batch[:2])[7 * k : 7 * k + 7] for k in range(20)]
    assert len(set(passes)) == 20  # in another order each time


def test_order_depends_on_seed_and_epoch_only():
    sampler = OmniBatchSampler(items(), seed=3)
    straight = epochs(sampler, 1, 2, 3)
    assert epochs(OmniBatchSampler(items(), seed=3), 3) == straight[8:]  # resumed
    assert epochs(sampler, 1) == straight[:4]
    assert epochs(OmniBatchSampler(items(), seed=4), 1) != straight[:4]


def test_processes_share_the_batch_of_one():
    data = items(16, 8, 12)
    whole = epochs(OmniBatchSampler(data, 4, 2, 2), 1, 2)
    shards = [epochs(OmniBatchSampler(data, 2, 1, 1, num_replicas=2, rank=rank), 1, 2) for rank in (0, 1)]
    assert len(whole) == len(shards[0]) == len(shards[1])
    for batch, first, second in zip(whole, *shards):
        assert Counter(batch) == Counter(first + second) and len(set(batch)) == 8
        assert [len(first), len(second)] == [4, 4]


@pytest.mark.parametrize(
    ("there", "counts"),
    [
        ((7, 5, 0), (3, 1, 0)),  # 4 places over 2 : 1 are 2.67 and 1.33
        ((7, 0, 4), (3, 0, 1)),
        ((0, 5, 4), (0, 2, 2)),
        ((7, 0, 0), (4, 0, 0)),
        ((0, 0, 4), (0, 0, 4)),
        ((7, 5, 4), (2, 1, 1)),
    ],
)
def test_the_places_of_an_absent_kind_go_to_the_others(there, counts):
    data = items(*there)
    batches = epochs(OmniBatchSampler(data, 2, 1, 1), 1)
    for batch in batches:
        drawn = Counter(supervision_kind(data[i]) for i in batch)
        assert tuple(drawn[k] for k in ("boxes", "label", "unlabelled")) == counts


def test_a_kind_without_places_is_never_drawn():
    data = items()
    batches = epochs(OmniBatchSampler(data, 2, 0, 1), 1, 2)
    assert all(Counter(supervision_kind(data[i]) for i in b) == {"boxes": 2, "unlabelled": 1} for b in batches)


@pytest.mark.parametrize(("data", "counts"), [([], (2, 1, 1)), (items(0, 3, 0), (2, 0, 1)), (items(), (0, 0, 0))])
def test_nothing_to_draw_is_one_clear_error(data, counts):
    with pytest.raises(InputError, match="no batch of"):
        OmniBatchSampler(data, *counts)
    with pytest.raises(InputError):
        OmniBatchSampler(items(), -1, 1, 1)


@pytest.mark.parametrize("workers", [0, 2])
def test_a_trainer_sees_each_epochs_batches(workers):
    data = items()
    sampler = OmniBatchSampler(data, seed=1)
    loader = DataLoader(range(len(data)), batch_sampler=sampler, num_workers=workers)

    def seen(first_epoch):
        batches = []
        trainer = Engine(lambda engine, batch: batches.append(batch.tolist()))
        trainer.state.epoch, trainer.state.iteration = first_epoch, first_epoch * len(loader)
        trainer.state.epoch_length, trainer.state.max_epochs = len(loader), 3
        EpochSeeder(sampler).attach(trainer)
        trainer.run(loader, max_epochs=3)
        return batches

    assert seen(0) == epochs(sampler, 1, 2, 3)
    assert seen(2) == epochs(sampler, 3)
