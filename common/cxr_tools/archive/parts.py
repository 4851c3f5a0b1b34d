"""Parts of an archive: the images whose rows share a Parquet file, which appears when all of them are done."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

#: How database programs call a folder of rows without a value.
NO_DATE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Part:
    """Images of one partition.

    Args:
        folder: of the partition, such as ``date=2026-03-01``.
        images: paths or instances.
    """

    folder: str
    images: tuple[str, ...]


def by_date(images: Iterable[tuple[str, date | None]], rows: int) -> list[Part]:
    """Parts of at most so many images with the same study date."""
    folders: dict[str, list[str]] = {}
    for image, day in images:
        folders.setdefault(f"date={NO_DATE if day is None else day.isoformat()}", []).append(image)
    return _parts(folders, rows)


def by_hash(images: Iterable[str], buckets: int, rows: int) -> list[Part]:
    """Parts of at most so many images; an image's bucket depends on nothing but its name and the number of buckets."""
    folders: dict[str, list[str]] = {}
    for image in images:
        number = int(sha256(image)[:12], 16) % buckets
        folders.setdefault(f"bucket={number:0{len(str(buckets - 1))}d}", []).append(image)
    return _parts(folders, rows)


def _parts(folders: Mapping[str, Sequence[str]], rows: int) -> list[Part]:
    return [
        Part(folder, tuple(images[start : start + rows]))
        for folder, images in sorted(folders.items())
        for start in range(0, len(images), rows)
    ]


def sha256(text: str) -> str:
    """Hash of a text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
