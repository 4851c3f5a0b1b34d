"""A datalist from the records of a data set: files found, labels chosen, masks written, sections dealt out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cxr_common.data.datalist import item_group
from cxr_common.data.datalist_schema import SECTIONS, SPLITS
from cxr_common.errors import InputError
from cxr_tools.prepare.datalist_item import checked_image_size, make_item
from cxr_tools.prepare.datasets.base import Reading, Record
from cxr_tools.prepare.image_files import ImageFiles
from cxr_tools.prepare.record_checks import Chosen, check_owner, is_repeated, missing_error
from cxr_tools.prepare.shared_labels import LabelChoice
from cxr_tools.prepare.splits import draw_sections

if TYPE_CHECKING:
    from cxr_tools.prepare.mask_folder import MaskFolder

FRONTAL = ("PA", "AP", "frontal")
MISSING = ("error", "keep", "leave-out")


@dataclass(frozen=True)
class Choices:
    """What the command line decides.

    Attributes:
        missing: what to do where an image file is missing: one of :data:`MISSING`; None: do not look for files.
        views: views to use; None: all. Images whose data set tells no views are used.
        splits: the data set's name of a split -> section, or None to leave it out; over the data set's own.
        fractions: shares of patients for validation and testing, where the data set has no such split.
        seed: of that draw.
        limit: how many images at most.
        masks_in: sections that keep their masks; None: all.
    """

    missing: str | None = "error"
    views: tuple[str, ...] | None = FRONTAL
    splits: Mapping[str, str | None] = field(default_factory=dict)
    fractions: tuple[float, float] = (0.1, 0.1)
    seed: int = 0
    limit: int | None = None
    masks_in: tuple[str, ...] | None = None


@dataclass
class Assembled:
    """A datalist and what was not used of the data set.

    Attributes:
        data: the datalist.
        missing: (path, where its row stands) of each image whose file is missing.
        notes: sentences for the summary.
    """

    data: dict[str, Any]
    missing: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def assemble(
    reading: Reading, records: Iterable[Record], root: Path, labels: LabelChoice, choices: Choices, masks: MaskFolder
) -> Assembled:
    """Build a datalist.

    Args:
        reading: the data set.
        records: its records, as they are or with a progress bar around them.
        root: paths are relative to it.
        labels: which labels.
        choices: see there.
        masks: where masks are written.

    Raises:
        InputError: an image is missing (where that is an error), has two rows that disagree, or a patient stands in two
            splits; a box leaves its image; names file, row and remedy.
    """
    files, result = ImageFiles(root), Assembled({})
    splits = {**reading.splits, **choices.splits}
    chosen: list[Chosen] = []
    seen: dict[str, tuple[str, int]] = {}
    owners: dict[str, tuple[str | None, str]] = {}
    skipped: dict[str, int] = {}
    unsized = 0
    for record in records:
        if choices.limit is not None and len(chosen) >= choices.limit:
            result.notes.append(f"stopped after {choices.limit} images (--limit)")
            break
        section = splits.get(record.split) if record.split is not None else None
        if record.split is not None and section is None:
            _count(skipped, f"of the split {record.split}")
            continue
        view = record.item.get("view")
        if choices.views is not None and view is not None and view not in choices.views:
            _count(skipped, f"of view {view} (--views)")
            continue
        path = record.paths[0]
        there = None if choices.missing is None else files.find(record.paths, record.by_name)
        if there is None and choices.missing is not None:
            result.missing.append((path, record.place.place))
            if choices.missing == "leave-out":
                continue
        file = root / there if there else None
        size = checked_image_size(record, file)
        unsized += size is None and file is not None and bool(record.item.get("boxes") or record.masks)
        item = make_item(record, there or path, file, size, labels, reading, masks)
        if is_repeated(record, item, seen, chosen):
            _count(skipped, "that repeat another row")
            continue
        check_owner(record, item, section, owners)
        chosen.append((item, section))
    if result.missing and choices.missing == "error":
        raise missing_error(result.missing, root)
    if not chosen:
        left = ", ".join(f"{n} {what}" for what, n in skipped.items()) or "none"
        raise InputError(f"no image is left; rows left out: {left}", root, "check --views, --split and --missing")
    result.data, drawn = _datalist(list(labels.rules), chosen, choices)
    if choices.masks_in is not None:
        _drop_masks(result.data, choices.masks_in, masks)
    result.notes += [f"left out: {n} rows {what}" for what, n in skipped.items()]
    result.notes += reading.notes
    if drawn:
        result.notes.append(f"drawn from the training patients (--fractions, --seed): {', '.join(drawn)}")
    if nobody := sum("patient" not in item and "group" not in item for item, _ in chosen):
        result.notes.append(f"{nobody} images name no patients: images of one may lie in several sections")
    if unsized:
        result.notes.append(
            f"{unsized} image files do not tell their size: their boxes and masks were not compared with it"
        )
    return result


def _datalist(labels: list[str], chosen: list[Chosen], choices: Choices) -> tuple[dict[str, Any], list[str]]:
    """The datalist, and which of its sections were drawn.

    Images without a section go to training; a section that the data set lacks is drawn from training.
    """
    official = {section for _, section in chosen}
    shares = tuple(0.0 if s in official else f for s, f in zip(SPLITS[1:], choices.fractions, strict=True))
    free = [item for item, section in chosen if section in (None, "training")]
    groups = [item_group(item) for item in free]
    drawn = iter(draw_sections(groups, (shares[0], shares[1]), choices.seed) if free else [])
    data: dict[str, Any] = {"labels": labels, **{section: [] for section in SPLITS}}
    for item, section in chosen:
        where = next(drawn) if section in (None, "training") else section
        data.setdefault(where, []).append(item)
    return data, [s for s in SPLITS[1:] if s not in official and data[s]]


def _drop_masks(data: dict[str, Any], sections: tuple[str, ...], masks: MaskFolder) -> None:
    """Take the masks from all other sections, and the files that nothing names any more."""
    for section in set(SECTIONS) & set(data) - set(sections):
        for item in data[section]:
            masks.remove(item.pop("mask", {}))
            item.pop("mask_origin", None)


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
