"""Learning from experts' masks and pseudo-masks together (CheXseg: Gadgil 2021, arXiv 2102.10484)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cxr_common.data.supervision import supervised_items
from cxr_common.errors import InputError
from cxr_common.training.dataset import SeededCacheDataset


class MixedSupervisionDataset(SeededCacheDataset):
    """A :class:`SeededCacheDataset` whose epoch mixes experts' masks and pseudo-masks.

    In the mode "sample", the published one, each of an epoch's ``len(self)`` = experts + pseudo places holds an
    expert's item with probability `expert_probability`, else a pseudo item. (The published code rounds probabilities
    of .3, .6 and .7 down by .1; that is not reproduced.) Items of a kind come in shuffled passes, so none comes a
    second time before all of its kind came once. In the other modes an epoch is the items, each once.

    Which item a place holds and how it is augmented depend on (seed, epoch, place) only: an item drawn twice is
    augmented twice, a resumed run goes on alike, and a ``DistributedSampler`` over the places gives the processes of a
    run parts of one draw. An :class:`EpochSeeder` tells the epoch.

    Args:
        data: datalist items with "mask" and "mask_origin"; ``self.data`` keeps those of the mode.
        transform: a ``Compose``; its deterministic head is cached.
        mode: one of :data:`MODES`.
        expert_probability: for the mode "sample".
        seed: of draw and augmentation.
        cache_rate: part of the data kept in memory after its deterministic transforms.
        num_workers: threads that fill the cache.
        progress: whether to show a progress bar while the cache is filled.

    Raises:
        InputError: see :func:`supervised_items`; or the probability is none.
    """

    def __init__(
        self,
        data: Sequence[Mapping[str, Any]],
        transform: Any,
        mode: str = "sample",
        expert_probability: float = 0.9,
        seed: int = 0,
        cache_rate: float = 1.0,
        num_workers: int | None = 1,
        progress: bool = True,
    ) -> None:
        if not 0 <= expert_probability <= 1:
            raise InputError(f"expert_probability is {expert_probability}", "training data", "use a value in [0, 1]")
        items = supervised_items(data, mode)
        self.experts = sum(item.get("mask_origin", "expert") == "expert" for item in items)
        self.mode, self.expert_probability = mode, expert_probability
        super().__init__(items, transform, seed, cache_rate, num_workers, progress)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, and draw its items."""
        super().set_epoch(epoch)
        self.order = np.arange(len(self.data))
        if self.mode == "sample":
            rng = np.random.default_rng((self.seed, epoch))
            pools = np.arange(self.experts), np.arange(self.experts, len(self.data))
            expert = rng.random(len(self.data)) < self.expert_probability
            for pool, places in zip(pools, (expert, ~expert), strict=True):
                passes = [rng.permutation(pool) for _ in range(-(-int(places.sum()) // len(pool)))]
                self.order[places] = np.concatenate([pool[:0], *passes])[: places.sum()]

    def item_index(self, place: int) -> int:
        """Index in ``self.data`` of the item that a place of this epoch holds."""
        return int(self.order[place])
