"""Load a batch of radiographs where some cannot be read: report those, go on with the others."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from monai.data import DataLoader, list_data_collate

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
        batch_size: images per batch; a batch in which some fail is smaller, one in which all fail is left out.
        num_workers: processes that load; 0 loads in this one.
        key: where a record has its path.

    Attributes:
        failures: the records that failed in the last pass, in the order of the data set.
    """

    def __init__(
        self, dataset: torch.utils.data.Dataset, batch_size: int = 1, num_workers: int = 0, key: str = "image"
    ) -> None:
        self.dataset = dataset
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.failures: list[Failure] = []
        self._loader = DataLoader(
            _Guarded(dataset, key), batch_size=batch_size, num_workers=num_workers, collate_fn=_collate
        )

    def __iter__(self) -> Iterator[Any]:
        self.failures = []
        for batch, failures in self._loader:
            self.failures.extend(failures)
            if batch is not None:
                yield batch


class _Guarded(torch.utils.data.Dataset):
    """A data set whose items are records or failures, and which raises no ordinary exception."""

    def __init__(self, dataset: Any, key: str) -> None:
        self.dataset = dataset
        self.key = key

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        try:
            with warnings.catch_warnings():
                # They are in the images' metadata, which goes where the results go.
                warnings.simplefilter("ignore", RadiographWarning)
                return self.dataset[index]
        except Exception as error:
            path = self._path(index)
            _log.debug("cannot load %s", path, exc_info=True)
            return failure_from(error, path)

    def _path(self, index: int) -> str:
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
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, MemoryError):
        return Failure(path, "the image needs more memory than there is", "reduce it")
    text = without_addresses((str(error).strip().splitlines() or [""])[0])
    reason = f"the file could not be processed ({type(error).__name__}{': ' + text if text else ''})"
    return Failure(path, reason, "check that the file opens elsewhere, and report this as a defect if it does")


def _collate(items: Sequence[Any]) -> tuple[Any, list[Failure]]:
    good = [_without_masks(item) for item in items if not isinstance(item, Failure)]
    return (list_data_collate(good) if good else None), [item for item in items if isinstance(item, Failure)]


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
