from __future__ import annotations

import threading
import time
from multiprocessing.dummy import DummyProcess

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


@pytest.mark.parametrize("progress", [False, True])  # the thread of a progress bar never ends
def test_no_thread_still_reads_after_an_item_that_cannot_be_read(progress):
    read = []

    def slow(place: int) -> int:
        if place == 0:
            raise ValueError("broken")
        time.sleep(0.5)
        read.append(place)
        return place

    with pytest.raises(RuntimeError, match="applying transform"):
        SeededCacheDataset([{"image": i} for i in range(3)], Compose([Lambdad("image", slow)]), progress=progress)
    at_the_end = list(read)
    time.sleep(1.2)
    assert read == at_the_end and not any(isinstance(thread, DummyProcess) for thread in threading.enumerate())
