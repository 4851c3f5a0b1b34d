"""Batches that mix images with boxes, images with a label only, and images with neither."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from cxr_common.data.datalist_schema import Item
from cxr_common.errors import InputError

#: What is annotated, richest first. Its index is the "supervision" that :func:`mark_supervision` writes.
SUPERVISION = ("boxes", "label", "unlabelled")


def supervision_kind(item: Mapping[str, Any]) -> str:
    """The richest annotation of a datalist item, one of :data:`SUPERVISION`.

    Boxes count where the key is there, also when the list is empty (annotated, none found); a label where any of its
    values is not null.
    """
    if item.get("boxes") is not None:
        return "boxes"
    label = item.get("label")
    known = label is not None and any(value is not None and not math.isnan(value) for value in label)
    return "label" if known else "unlabelled"


def mark_supervision(items: Sequence[Mapping[str, Any]]) -> list[Item]:
    """New items with the key "supervision": 0 boxes, 1 label, 2 unlabelled; it outlives the boxes' encoding."""
    return [{**item, "supervision": SUPERVISION.index(supervision_kind(item))} for item in items]


class OmniBatchSampler(Sampler[list[int]]):
    """Batches with a fixed number of images of each supervision.

    Each kind is an endless stream of shuffled passes over its images, and an epoch takes the next piece of it: no image
    comes again before all of its kind have. What an epoch holds depends on (seed, epoch) alone, in any process and
    after any resume.

    A kind that the datalist lacks gives its places to the others, in proportion to theirs (largest remainder), so that
    the batch size stays. A kind with 0 places is never drawn.

    Args:
        items: datalist items, in the data set's order.
        boxes: images with boxes in a batch of one process.
        label: images with a label only.
        unlabelled: images without.
        seed: of the order.
        batches: batches in an epoch; None: until the first kind of :data:`SUPERVISION` that is drawn at all has been
            gone through once, which is OXnet's epoch where boxes are.
        num_replicas: processes of the run; each gets its own part of every stream, together they draw the batch that
            one process with ``num_replicas`` times the numbers draws.
        rank: of this process.

    Raises:
        InputError: no images of any kind that is to be drawn.
    """

    def __init__(
        self,
        items: Sequence[Mapping[str, Any]],
        boxes: int = 2,
        label: int = 1,
        unlabelled: int = 1,
        seed: int = 0,
        batches: int | None = None,
        num_replicas: int = 1,
        rank: int = 0,
    ) -> None:
        kinds = [supervision_kind(item) for item in items]
        self.indices = {k: [i for i, kind in enumerate(kinds) if kind == k] for k in SUPERVISION}
        wanted = dict(zip(SUPERVISION, (boxes, label, unlabelled), strict=True))
        if any(n < 0 for n in wanted.values()) or not any(wanted[k] and self.indices[k] for k in SUPERVISION):
            held = ", ".join(f"{len(self.indices[k])} {k}" for k in SUPERVISION)
            asked = ", ".join(f"{n} {k}" for k, n in wanted.items())
            raise InputError(f"no batch of {asked} from images with {held}", action="change the numbers of the batch")
        self.counts = _share(wanted, {k for k in SUPERVISION if self.indices[k]})
        if self.counts != wanted:
            logging.getLogger(__name__).warning("batches of %s, for the datalist has no other kind", self.counts)
        self.seed, self.epoch, self.num_replicas, self.rank = seed, 0, num_replicas, rank
        first = next(k for k in SUPERVISION if self.counts[k])
        self.batches = batches or math.ceil(len(self.indices[first]) / (self.counts[first] * num_replicas))

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose batches come next; :class:`~cxr_common.training.EpochSeeder` does."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches in an epoch."""
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        """The epoch's batches of this process: indices of images with boxes first, then label, then unlabelled."""
        rows = [self._rows(kind) for kind in SUPERVISION if self.counts[kind]]
        for parts in zip(*rows, strict=True):
            yield [int(i) for part in parts for i in part]

    def _rows(self, kind: str) -> np.ndarray:
        """This process' images of a kind, (batches, images of it in a batch)."""
        per_batch = self.counts[kind] * self.num_replicas
        needed, pool = self.batches * per_batch, np.asarray(self.indices[kind])
        start = self.epoch * needed
        first, last = start // len(pool), (start + needed - 1) // len(pool)
        stream = np.concatenate([self._shuffled(kind, pool, turn) for turn in range(first, last + 1)])
        offset = start - first * len(pool)
        rows = stream[offset : offset + needed].reshape(self.batches, self.num_replicas, self.counts[kind])
        return rows[:, self.rank]

    def _shuffled(self, kind: str, pool: np.ndarray, turn: int) -> np.ndarray:
        return np.random.default_rng((self.seed, SUPERVISION.index(kind), turn)).permutation(pool)


def _share(wanted: Mapping[str, int], there: set[str]) -> dict[str, int]:
    """Spread the places of a batch over the kinds that are there."""
    total, present = sum(wanted.values()), {k: n for k, n in wanted.items() if k in there}
    exact = {k: total * n / sum(present.values()) for k, n in present.items()}
    counts = {k: math.floor(exact.get(k, 0)) for k in wanted}
    by_remainder = sorted(exact, key=lambda k: counts[k] - exact[k])
    for kind in by_remainder[: total - sum(counts.values())]:
        counts[kind] += 1
    return counts
