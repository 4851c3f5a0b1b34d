"""The rows of the opacity probe, Pneumonia and No Finding, and what networks said of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.datalist import item_group
from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from tools.image_cues.features import Entry
from tools.prepare.from_tables import datalist_from_tables
from tools.prepare.mapping import parse_mapping, read_mapping
from tools.results.data import ERA, SECTIONS, Items

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
    """Section -> items of a mapping of ``tools.prepare csv`` with absolute paths, without writing a datalist."""
    plain: dict[str, Any] = read_mapping(mapping)
    if splits:
        plain["images"]["splits"] = splits
    data = datalist_from_tables(parse_mapping(plain, mapping), root)
    return {s: [{**item, "image": str(root / item["image"])} for item in data[s]] for s in SECTIONS}


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


def network_scores(folder: Path, scored: Rows) -> dict[str, tuple[str, np.ndarray]]:
    """What the localisation experiment's networks said of the scored rows, where it is kept.

    Returns:
        Run -> hash of its weights, and its logits of Opacity (N,). Heatmaps of the same network count once.

    Raises:
        InputError: an outcome is of other rows.
    """
    found: dict[str, tuple[str, np.ndarray]] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            if "nih/logits" not in file:
                continue
            weights = json.loads(str(file["about"]))["weights_sha256"]
            if not np.array_equal(file["nih/label"][:, OPACITY] == 1, scored.present):
                raise InputError("is of other images than the probe is scored on", path, "score the networks again")
            if weights not in {known for known, _ in found.values()}:
                found[path.stem] = weights, file["nih/logits"][:, OPACITY]
    return found
