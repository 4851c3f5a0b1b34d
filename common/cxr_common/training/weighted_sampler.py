"""Epochs that hold more of some images than of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Dataset
from torch.utils.data.distributed import DistributedSampler

from cxr_common.errors import InputError

#: Kinds of images by what their labels say, where a source has a chance for each.
KINDS = ("present", "absent")


def sampling_chances(items: Sequence[Mapping[str, Any]], chances: Mapping[str, Any] | None) -> list[float]:
    """How often each image is to be drawn, relative to the others.

    Args:
        items: datalist items with "label" and "source".
        chances: source -> chance of its images, or ``{present: chance, absent: chance}`` of those with and without a
            label that is 1. None: 1 for all.

    Raises:
        InputError: a source has no chance, or a chance is not a number of at least 0.
    """
    if chances is None:
        return [1.0] * len(items)
    return [_chance(item, chances) for item in items]


def _chance(item: Mapping[str, Any], chances: Mapping[str, Any]) -> float:
    source = str(item.get("source", ""))
    if source not in chances:
        raise InputError(f"source {source!r} has no chance", "sampling", f"it has {', '.join(map(str, chances))}")
    found = chances[source]
    if isinstance(found, Mapping):
        kind = KINDS[0] if any(value == 1 for value in item["label"]) else KINDS[1]
        if kind not in found:
            raise InputError(f"source {source!r} has no chance for {kind}", "sampling", "give present and absent")
        found = found[kind]
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not found >= 0:
        raise InputError(f"the chance of source {source!r} is {found!r}", "sampling", "give a number of at least 0")
    return float(found)


class WeightedEpochSampler(DistributedSampler):
    """Draw an epoch's images by their chances; no image comes twice in an epoch.

    What an epoch holds depends on (seed, epoch) alone, so a resumed run sees the same batches. MONAI's
    ``DistributedWeightedRandomSampler`` draws with replacement from one stream, which a resume does not restore.
    MONAI's trainers tell a ``DistributedSampler`` which epoch starts.

    Args:
        dataset: the images.
        chances: one per image, such as :func:`sampling_chances` gives; images of chance 0 are never drawn.
        size: images in an epoch; at most those with a chance, which is also the default.
        num_replicas: processes of the run; together they draw the epoch, each every num_replicas-th image of it.
        rank: of this process.
        seed: of the order.

    Raises:
        InputError: no image has a chance.
    """

    def __init__(
        self,
        dataset: Dataset,
        chances: Sequence[float],
        size: int | None = None,
        num_replicas: int = 1,
        rank: int = 0,
        seed: int = 0,
    ) -> None:
        super().__init__(dataset, num_replicas, rank, seed=seed)
        self.chances = np.asarray(chances, dtype=np.float64)
        drawn = int((self.chances > 0).sum())
        if not drawn:
            raise InputError("no image has a chance to be drawn", "sampling", "give some source a chance above 0")
        self.num_samples = min(size or drawn, drawn) // num_replicas
        self.total_size = self.num_samples * num_replicas

    def __iter__(self) -> Iterator[int]:
        """The epoch's images of this process."""
        rng = np.random.default_rng((self.seed, self.epoch))
        order = rng.choice(len(self.chances), self.total_size, replace=False, p=self.chances / self.chances.sum())
        yield from map(int, order[self.rank :: self.num_replicas])
