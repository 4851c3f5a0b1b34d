"""What to look into before training: one sentence a kind, and the images it is about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_tools.prepare.look.doubles import same_bytes, same_look
from cxr_tools.prepare.look.fingerprint import Fingerprint
from cxr_tools.prepare.look.masks import mask_faults
from cxr_tools.prepare.record_checks import leaves

_LATERAL = ("LATERAL", "L", "LL", "RL")
Entry = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Caution:
    """A kind of trouble.

    Attributes:
        title: what it is, and what to do about it.
        lines: an image or pair each.
    """

    title: str
    lines: list[str]


def find_cautions(entries: Sequence[Entry], prints: Sequence[Fingerprint], root: Path) -> list[Caution]:
    """All kinds of trouble that occur.

    Args:
        entries: (section, item) of each image.
        prints: of each image.
        root: data set root.
    """
    sections = [section for section, _ in entries]

    def name(index: int) -> str:
        return f"{sections[index]}: {entries[index][1]['image']}"

    indices = range(len(entries))
    doubts = [(i, prints[i].doubt) for i in indices if prints[i].doubt]
    constant = [i for i, doubt in doubts if "uniform" in doubt]
    kinds = {
        "Cannot be read; mend or take out": [f"{name(i)}: {prints[i].fault}" for i in indices if prints[i].fault],
        "The same file in two sections, a leak; take one out": [
            f"{name(i)} = {name(j)}" for i, j in same_bytes(prints, sections)
        ],
        "Nearly the same picture in two sections, likely a leak; put the patients into one group": [
            f"{name(i)} ~ {name(j)} ({bits} of 255 bits differ)" for i, j, bits in same_look(prints, sections)
        ],
        "Constant images; take out": [name(i) for i in constant],
        "Laterals among frontals, by their view; prepare with --views frontal": _laterals(entries, name),
        "May not be upright frontal chest radiographs, by their look": [
            f"{name(i)}: {doubt}" for i, doubt in doubts if i not in set(constant)
        ],
        "Boxes outside their image; are these other sizes of the images?": [
            f"{name(i)}: {box}" for i in indices for box in _outside(entries[i][1], prints[i].size)
        ],
        "Masks that are missing, unreadable or of another size than their image; make them again": [
            f"{name(i)}: {fault}" for i in indices for fault in mask_faults(entries[i][1], root, prints[i].size)
        ],
    }
    return [Caution(title, lines) for title, lines in kinds.items() if lines]


def _laterals(entries: Sequence[Entry], name: Any) -> list[str]:
    """Images whose view says lateral, where most of those with a view are not."""
    views = [str(item.get("view", "")).upper() for _, item in entries]
    lateral = [i for i, view in enumerate(views) if view in _LATERAL]
    return [name(i) for i in lateral] if 2 * len(lateral) < sum(map(bool, views)) else []


def _outside(item: Mapping[str, Any], size: tuple[int, int] | None) -> list[list[float]]:
    if size is None:
        return []
    return [box for box in item.get("boxes", []) if leaves(box, size)]


def label_counts(entries: Sequence[Entry], labels: Sequence[str]) -> list[tuple[str, list[Counter[Any]]]]:
    """For each section that has images: its name, and how often each label has each value."""
    found: dict[str, list[Counter[Any]]] = {}
    for section, item in entries:
        counters = found.setdefault(section, [Counter() for _ in labels])
        values = item.get("label") or [None] * len(labels)
        for counter, value in zip(counters, values, strict=True):
            counter[value] += 1
    return list(found.items())


def co_occurrence(entries: Sequence[Entry], labels: Sequence[str]) -> list[list[int]]:
    """How many images have both of two labels; on the diagonal: how many have the label."""
    table = [[0] * len(labels) for _ in labels]
    for _, item in entries:
        present = [i for i, value in enumerate(item.get("label") or []) if value == 1]
        for i in present:
            for j in present:
                table[i][j] += 1
    return table
