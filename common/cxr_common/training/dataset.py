"""A cached data set whose augmentation depends on (seed, epoch, index) and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from multiprocessing.dummy import DummyProcess
from typing import Any

import numpy as np
from ignite.engine import Engine, Events
from monai.data import CacheDataset


class SeededCacheDataset(CacheDataset):
    """MONAI's ``CacheDataset`` with replayable augmentation.

    MONAI seeds random transforms once, so what an image gets depends on how many were drawn before it and in which
    worker. Here each draw is seeded by (seed, epoch, index): the same in any worker, order or resumed run.

    Args:
        data: datalist items.
        transform: a ``Compose``; its deterministic head is cached.
        seed: of the augmentation.
        cache_rate: part of the data kept in memory after its deterministic transforms.
        num_workers: threads that fill the cache.
        progress: whether to show a progress bar while the cache is filled.
    """

    def __init__(
        self,
        data: list[dict],
        transform: Any,
        seed: int = 0,
        cache_rate: float = 1.0,
        num_workers: int | None = 1,
        progress: bool = True,
    ) -> None:
        self.seed = seed
        self.epoch = 0
        super().__init__(
            data=data, transform=transform, cache_rate=cache_rate, num_workers=num_workers, progress=progress
        )

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose augmentation the next items get."""
        self.epoch = epoch

    def item_index(self, place: int) -> int:
        """Index in ``self.data`` of the item at a place of this epoch: the same; a subclass may draw."""
        return place

    def _fill_cache(self, indices: Sequence[int] | None = None) -> list:
        before = threading.enumerate()
        try:
            return super()._fill_cache(indices)
        finally:
            # After an item that cannot be read, MONAI's threads may still work on others. Python kills them when it
            # exits, and one that is inside torch then aborts the process (exit status 134). Only the pool's threads:
            # that of the progress bar never ends.
            for thread in threading.enumerate():
                if isinstance(thread, DummyProcess) and thread not in before:
                    thread.join()

    def _transform(self, index: int) -> Any:
        seed = np.random.SeedSequence((self.seed, self.epoch, index)).generate_state(1)[0]
        self.transform.set_random_state(seed=int(seed))
        return super()._transform(self.item_index(index))


class EpochSeeder:
    """Handler that tells a data set which epoch starts."""

    def __init__(self, dataset: SeededCacheDataset) -> None:
        self.dataset = dataset

    def attach(self, engine: Engine) -> None:
        """Follow a trainer's epochs."""
        engine.add_event_handler(Events.EPOCH_STARTED, self)

    def __call__(self, engine: Engine) -> None:
        """Pass the epoch on."""
        self.dataset.set_epoch(engine.state.epoch)
