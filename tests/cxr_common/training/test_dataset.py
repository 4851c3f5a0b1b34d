from __future__ import annotations

import threading
import time

import pytest
import torch
from monai.data import DataLoader
from monai.transforms import Compose, Lambdad, RandGaussianNoised

from cxr_common.training import SeededCacheDataset


def make(seed=0):
    transform = Compose(
        [Lambdad("image", lambda v: torch.full((1, 4, 4), float(v))), RandGaussianNoised("image", prob=1.0)]
    )
    return SeededCacheDataset([{"image": i} for i in range(6)], transform, seed=seed, progress=False)


def test_augmentation_depends_on_seed_epoch_and_index_only():
    a, b = make(), make()
    for dataset in (a, b):
        dataset.set_epoch(3)
    forward = [a[i]["image"] for i in range(6)]
    backward = [b[i]["image"] for i in reversed(range(6))][::-1]
    for x, y in zip(forward, backward):
        assert torch.equal(x, y)
    assert torch.equal(a[2]["image"], forward[2])
    a.set_epoch(4)
    assert not torch.equal(a[2]["image"], forward[2])
    c = make(seed=1)
    c.set_epoch(3)
    assert not torch.equal(c[2]["image"], forward[2])
    assert not torch.equal(forward[0], forward[1] - 1)


def test_worker_processes_give_the_same_batches():
    dataset = make()
    dataset.set_epoch(1)
    alone = [b["image"] for b in DataLoader(dataset, batch_size=2, num_workers=0)]
    workers = [b["image"] for b in DataLoader(dataset, batch_size=2, num_workers=2)]
    assert all(torch.equal(x, y) for x, y in zip(alone, workers))


def test_no_thread_still_reads_after_an_item_that_cannot_be_read():
    def read(place: int) -> int:
        if place == 0:
            raise ValueError("broken")
        time.sleep(0.5)
        return place

    before = set(threading.enumerate())
    with pytest.raises(RuntimeError, match="applying transform"):
        SeededCacheDataset([{"image": i} for i in range(3)], Compose([Lambdad("image", read)]), progress=False)
    assert set(threading.enumerate()) <= before
