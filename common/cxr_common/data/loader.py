"""Load a batch of radiographs where some cannot be read: report those, go on with the others."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import DataLoader, list_data_collate

from cxr_common.data.collected_warnings import ignored_warnings
from cxr_common.data.kept_pictures import keeping_pictures
from cxr_common.data.scan import RadiographWarning
from cxr_common.errors import find_input_error
from cxr_common.text import without_addresses

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """One input that could not be used, why, and what its owner can do."""

    path: str
    reason: str
    action: str | None

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" + (f"; {self.action}" if self.action else "")


class RadiographLoader:
    """Batches of the records that can be loaded; the others are listed in `failures`.

    It is the data loader of an inference evaluator. It has no length, on purpose: how many batches there are is known
    only at the end, and ignite starts over on a loader that ends before its stated length.

    Args:
        dataset: a `monai.data.Dataset` over records with a path under `key`, with the preprocessing as transform.
        batch_size: images per batch; images that fail take no place in one, so that only the last is smaller.
        num_workers: processes that load; 0 loads in this one.
        key: where a record has its path.

    Attributes:
        failures: the records that failed in the last pass, in the order of the data set.
        keep_pictures: whether to keep the pictures of a batch in `pictures`; set before a pass.
        pictures: path -> uint8 (X, Y) at the file's size, of the images of the batch that was given last.
        done: absolute paths of images that the next passes leave out.
    """

    def __init__(
        self, dataset: torch.utils.data.Dataset, batch_size: int = 1, num_workers: int = 0, key: str = "image"
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.key = key
        self.failures: list[Failure] = []
        self.keep_pictures = False
        self.pictures: dict[str, np.ndarray] = {}
        self.done: Collection[str] = frozenset()

    def __iter__(self) -> Iterator[Any]:
        self.failures = []
        items: list[Any] = []
        pictures: dict[str, np.ndarray] = {}
        for item, picture in self._loaded():
            if isinstance(item, Failure):
                self.failures.append(item)
                continue
            items.append(_without_masks(item))
            pictures |= picture
            if len(items) == self.batch_size:
                yield self._batch(items, pictures)
                items, pictures = [], {}
        if items:
            yield self._batch(items, pictures)
        self.pictures = {}

    @property
    def remaining(self) -> list[int]:
        """Indices in the data set of the images that a pass reads."""
        guarded = _Guarded(self.dataset, self.key)
        everything = range(len(guarded))
        return [i for i in everything if not self.done or os.path.abspath(guarded.path(i)) not in self.done]

    def _loaded(self) -> Iterator[tuple[Any, dict[str, np.ndarray]]]:
        """Records or failures, one by one: which images share a batch is known when they are read."""
        guarded = _Guarded(self.dataset, self.key, self.keep_pictures)
        ahead = {"prefetch_factor": 2 * self.batch_size} if self.num_workers else {}
        return iter(
            DataLoader(
                torch.utils.data.Subset(guarded, self.remaining),
                batch_size=None,
                num_workers=self.num_workers,
                collate_fn=_as_it_is,
                **ahead,
            )
        )

    def _batch(self, items: list[Any], pictures: dict[str, np.ndarray]) -> Any:
        self.pictures = pictures
        return list_data_collate(items)


class _Guarded(torch.utils.data.Dataset):
    """A data set whose items are records or failures, and which raises no ordinary exception."""

    def __init__(self, dataset: Any, key: str, keep_pictures: bool = False) -> None:
        self.dataset = dataset
        self.key = key
        self.keep_pictures = keep_pictures

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> tuple[Any, dict[str, np.ndarray]]:
        path = self.path(index)
        try:
            # Warnings are in the images' metadata, which goes where the results go.
            with ignored_warnings(RadiographWarning), keeping_pictures(self.keep_pictures) as kept:
                item = self.dataset[index]
        except Exception as error:
            _log.debug("cannot load %s", path, exc_info=True)
            return failure_from(error, path), {}
        return item, {path: kept[str(Path(path))]} if str(Path(path)) in kept else {}

    def path(self, index: int) -> str:
        """Where the image of an index lies."""
        records = getattr(self.dataset, "data", None)
        record = records[index] if records is not None else index
        return str(record.get(self.key, record) if isinstance(record, dict) else record)


def failure_from(error: BaseException, path: str) -> Failure:
    """Say in one line what an exception means for the file's owner.

    Args:
        error: what loading raised, wrapped or not: MONAI's Compose puts a RuntimeError around each exception.
        path: the record's file.
    """
    known = find_input_error(error)
    if known is not None:
        return Failure(path, known.reason, known.action or "mend or leave out this file")
    seen = {id(error)}
    while error.__cause__ is not None and id(error.__cause__) not in seen:  # Python allows circles
        error = error.__cause__
        seen.add(id(error))
    if isinstance(error, MemoryError):
        return Failure(path, "the image needs more memory than there is", "reduce it")
    text = without_addresses((str(error).strip().splitlines() or [""])[0])
    reason = f"the file could not be processed ({type(error).__name__}{': ' + text if text else ''})"
    return Failure(path, reason, "check that the file opens elsewhere, and report this as a defect if it does")


def _as_it_is(item: Any) -> Any:
    return item


def _without_masks(item: Any) -> Any:
    """A datalist's masks are paths and null (annotated, empty), which make no batch; inference reads none of them."""
    if isinstance(item, dict) and isinstance(item.get("mask"), dict):
        return {key: value for key, value in item.items() if key != "mask"}
    return item


def batch_paths(batch: Any, image_key: str) -> list[str]:
    """Paths of a batch that the loader gave, decollated or not."""
    items = batch if isinstance(batch, list) else [batch]
    images = [item[image_key] for item in items if isinstance(item, Mapping) and image_key in item]
    paths = [getattr(image, "meta", {}).get("filename_or_obj", "") for image in images]
    return [str(path) for entry in paths for path in ([entry] if isinstance(entry, str) else entry)]
