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
from tools.prepare.from_tables import datalist_from_tables
from tools.prepare.mapping import parse_mapping, read_mapping
from tools.results.localization import ERA
from tools.results.opacity_features import Entry

Array = np.ndarray
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

    items: list[dict[str, Any]]
    entries: list[Entry]
    present: Array

    @property
    def patients(self) -> list[str]:
        """What the bootstrap draws, one name for each image."""
        return [item_group(item) for item in self.items]

    def subsets(self) -> dict[str, Array]:
        """Name -> (N,) bool, as in the localisation experiment."""
        number = np.array([item["patient_number"] for item in self.items])
        view = np.array([item["view"] for item in self.items])
        era = (number >= ERA[0]) & (number <= ERA[1])
        return {"all": np.ones(len(number), bool), "era": era, "PA": view == "PA", "AP": view == "AP"}


def read_rows(mapping: str, shared: Path, table: Mapping[str, Entry]) -> tuple[Rows, Rows]:
    """The training rows, and those that the networks are scored on.

    Args:
        mapping: name of a mapping of ``tools.prepare csv``.
        shared: folder of the real radiographs.
        table: see :func:`~tools.results.opacity_features.read_nih_table`.
    """
    plain = read_mapping(mapping)
    plain["images"]["splits"] = SPLITS
    data = datalist_from_tables(parse_mapping(plain, mapping), shared)

    def rows(section: str) -> Rows:
        items = [{**item, "image": str(shared / item["image"])} for item in data[section]]
        entries = [table[Path(item["image"]).stem.removeprefix("nih_")] for item in items]
        return Rows(items, entries, np.array([item["label"][OPACITY] == 1 for item in items]))

    return rows("training"), rows("testing")


def network_scores(folder: Path, scored: Rows) -> dict[str, tuple[str, Array]]:
    """What the localisation experiment's networks said of the scored rows, where it is kept.

    Returns:
        Run -> hash of its weights, and its logits of Opacity (N,). Heatmaps of the same network count once.

    Raises:
        InputError: an outcome is of other rows.
    """
    found: dict[str, tuple[str, Array]] = {}
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
