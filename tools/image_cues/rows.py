"""Rows of NIH's images, Pneumonia and No Finding, beside NIH's table of all its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.datalist import item_group
from cxr_common.data.datalist_schema import Item
from cxr_common.labels import LABELS
from cxr_tools.prepare.from_tables import datalist_from_tables
from cxr_tools.prepare.mapping import parse_mapping, read_mapping
from tools.image_cues.features import Entry
from tools.results.data import ERA

Items = list[Item]
OPACITY = LABELS.index("Opacity")
#: As the localisation experiment scores them: validation and testing rows in the order of the table.
SPLITS = {"train": "training", "val": "testing", "test": "testing"}


@dataclass(frozen=True)
class Rows:
    """Images of the two classes.

    Attributes:
        items: datalist items with absolute paths.
        entries: their rows of NIH's table.
        present: (N,) bool, Pneumonia rather than No Finding.
    """

    items: Items
    entries: list[Entry]
    present: np.ndarray

    @property
    def patients(self) -> list[str]:
        """What the bootstrap draws, one name for each image."""
        return [item_group(item) for item in self.items]


def read_items(mapping: str, root: Path, splits: Mapping[str, str] | None = None) -> dict[str, Items]:
    """Section -> items of a mapping of ``cxr_tools.prepare csv`` with absolute paths, without writing a datalist."""
    plain: dict[str, Any] = read_mapping(mapping)
    if splits:
        plain["images"]["splits"] = splits
    data = datalist_from_tables(parse_mapping(plain, mapping), root)
    return {
        s: [{**item, "image": str(root / item["image"])} for item in data[s]]
        for s in ("training", "validation", "testing")
    }


def read_rows(mapping: str, shared: Path, table: Mapping[str, Entry]) -> tuple[Rows, Rows]:
    """The training rows, and those that the networks are scored on; `table` is NIH's."""

    def rows(items: Items) -> Rows:
        entries = [table[Path(item["image"]).stem.removeprefix("nih_")] for item in items]
        return Rows(items, entries, np.array([item["label"][OPACITY] == 1 for item in items]))

    data = read_items(mapping, shared, SPLITS)
    return rows(data["training"]), rows(data["testing"])


def other_rows(table: Mapping[str, Entry], learnt: Rows, scored: Rows) -> tuple[list[Entry], list[Entry]]:
    """NIH's images that are neither learned from nor scored here, nor of a patient that is learned from.

    Returns:
        Pneumonia, and No Finding of the range of patients that No Finding is of here.
    """
    here = {entry["Image Index"] for rows in (learnt, scored) for entry in rows.entries}
    known = {entry["Patient ID"] for entry in learnt.entries}
    free = [e for e in table.values() if e["Image Index"] not in here and e["Patient ID"] not in known]
    pneumonia = [e for e in free if "Pneumonia" in e["Finding Labels"].split("|")]
    healthy = [e for e in free if e["Finding Labels"] == "No Finding" and ERA[0] <= int(e["Patient ID"]) <= ERA[1]]
    return pneumonia, healthy


def machine_sets(table: Mapping[str, Entry], learnt: Rows, scored: Rows) -> dict[str, list[Entry]]:
    """Rows of NIH's table: those of this set, and others."""
    pneumonia, healthy = other_rows(table, learnt, scored)
    both = [(e, ill) for rows in (learnt, scored) for e, ill in zip(rows.entries, rows.present, strict=True)]
    well, sick = ([entry for entry, ill in both if ill == value] for value in (False, True))
    return {
        "No Finding, this set": well,
        "No Finding, others": healthy,
        "Pneumonia, this set": sick,
        "Pneumonia, others": pneumonia,
    }


def tone_sets(here: Items, other: Items) -> dict[str, Items]:
    """Items of this set and of another, whose Opacity stands for Pneumonia, of which it has few."""

    def of(items: Items, value: int) -> Items:
        return [item for item in items if item["label"][OPACITY] == value]

    found = {"No Finding, this set": of(here, 0), "Pneumonia, this set": of(here, 1)}
    return found | {"No Finding, others": of(other, 0), "Opacity, others": of(other, 1)}
