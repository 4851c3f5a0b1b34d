"""Whether a record fits what is known: its boxes the image, a repeated row the first, its patient the others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.prepare.datasets.base import Record

#: An item and its section; None: to be dealt out.
Chosen = tuple[dict[str, Any], str | None]
_RESIZED = "boxes count pixels of the images as published: are these resized?"


def leaves(box: Sequence[float], size: tuple[int, int]) -> bool:
    """Whether a box leaves its image of (width, height) by more than a pixel, for tables round, or lies beside it."""
    return box[2] > size[0] + 1 or box[3] > size[1] + 1 or box[0] >= size[0] or box[1] >= size[1]


def check_boxes(record: Record, size: tuple[int, int]) -> None:
    """Refuse an image of another size than it should have, and boxes that leave it by more than a pixel (tables round).

    Args:
        record: of the image.
        size: (width, height) of its file.

    Raises:
        InputError: names the row.
    """
    if record.size not in (None, size):
        found, told = (" x ".join(map(str, s or ())) for s in (size, record.size))
        raise record.place.error(record.column, f"the file has {found} pixels, not {told}", _RESIZED)
    for box in record.item.get("boxes", []):
        if leaves(box, size):
            reason = f"box {box} leaves the image of {size[0]} x {size[1]} pixels"
            raise record.place.error(record.column, reason, _RESIZED)


def is_repeated(record: Record, item: dict[str, Any], seen: dict[str, tuple[str, int]], chosen: list[Chosen]) -> bool:
    """Whether another row said the same of this image.

    Args:
        record: of the image.
        item: made of it.
        seen: image -> where its first row stands, and its index in ``chosen``; this image is added.
        chosen: items so far.

    Raises:
        InputError: another row said other things of it.
    """
    where, index = seen.setdefault(item["image"], (record.place.place, len(chosen)))
    if index == len(chosen):
        return False
    if chosen[index][0] != item:
        reason = f"{item['image']!r} is already in {where}, where other things are said of it"
        raise record.place.error(record.column, reason, "keep the row that is right")
    return True


def check_owner(
    record: Record, item: dict[str, Any], section: str | None, owners: dict[str, tuple[str | None, str]]
) -> None:
    """Refuse a patient or group that is in another section already.

    Args:
        record: of the image.
        item: made of it.
        section: its section; None: to be dealt out.
        owners: patient or group -> its section and where it stands; those of this image are added.

    Raises:
        InputError: names both rows.
    """
    for key in ("patient", "group"):
        if (owner := item.get(key)) is None:
            continue
        first, where = owners.setdefault(f"{key} {owner}", (section, record.place.place))
        if first != section:
            reason = f"{key} {owner!r} is in {section or 'no'} split here and in {first or 'no split'} in {where}"
            raise record.place.error(record.column, reason, "move all images of the patient to one split")


def missing_error(missing: list[tuple[str, str]], root: Path) -> InputError:
    """The error for image files that are not there: the first (path, where its row stands), and how many more."""
    (path, place), more = missing[0], len(missing) - 1
    reason = f"no such image file: {root / path}" + (f", nor {more} more" if more else "")
    action = "unpack them below --root; or list them and go on: --missing leave-out, or --missing keep"
    return InputError(reason, place, action)
