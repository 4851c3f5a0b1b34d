"""PadChest as BIMCV gives it: PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv, 16-bit PNGs in folders 0, 1, ...

A finding that is named implies its parents in PadChest's tree: "laminar atelectasis" is "atelectasis". Images whose
only word is "unchanged" or "suboptimal study" are not annotated; those with "exclude" are left out. There is no
official split.
"""

from __future__ import annotations

import argparse
import ast
import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cxr_tools.prepare.datasets.base import Reading, Record, SharedRule, forward_slashes
from cxr_tools.prepare.table_files import find_table, need_table
from cxr_tools.prepare.tables import Row, iterate_table
from cxr_tools.yaml_files import read_yaml

NAME = "padchest"
ALIASES: tuple[str, ...] = ()
TITLE = "PadChest: PADCHEST_chest_x_ray_images_labels_160K_*.csv and 16-bit PNGs"
SHARED: dict[str, SharedRule] = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Consolidation": "consolidation",
    "Effusion": "pleural effusion",
    "Mass": "mass",
    "Nodule": "nodule",
    "Opacity": ("infiltrates", "pneumonia", "pulmonary edema"),
    "Pneumothorax": "pneumothorax",
}
_TABLES = tuple(f"PADCHEST_chest_x_ray_images_labels_160K{end}.csv" for end in ("_01.02.19", ""))
_COLUMNS = ("ImageID", "PatientID", "Projection", "Labels")
_VIEWS = {"AP_horizontal": "AP", "L": "LATERAL"}
_SILENT = frozenset(("unchanged", "suboptimal study"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


@cache
def parents() -> dict[str, frozenset[str]]:
    """Name of a finding -> itself and all findings that it implies."""
    found: dict[str, set[str]] = {}

    def walk(nodes: Mapping[str, Any], above: tuple[str, ...]) -> None:
        for name, below in nodes.items():
            found.setdefault(name, {name}).update(above)
            walk(below, (*above, name))

    walk(read_yaml(Path(__file__).with_name("padchest_tree.yaml"))["findings"], ())
    for _ in range(3):  # a name that stands in several places has the parents of all of them
        for implied in found.values():
            implied |= {parent for name in [*implied] for parent in found[name]}
    return {name: frozenset(implied) for name, implied in found.items()}


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read images one after the other."""
    table = find_table(root, *_TABLES) or need_table(root, *_TABLES)
    notes: list[str] = []
    return Reading(list(parents()), _records(table, notes), None, {}, SHARED, notes)


def _records(table: Path, notes: list[str]) -> Iterator[Record]:
    excluded = 0
    index = {name: i for i, name in enumerate(parents())}
    for row in iterate_table(table, needed=_COLUMNS):
        names = _names(row)
        if "exclude" in names:
            excluded += 1
            continue
        item: dict[str, Any] = {"patient": row["PatientID"]} if row["PatientID"] else {}
        item["label"] = _label(row, names, index)
        item |= {"view": _VIEWS.get(row["Projection"], row["Projection"]) or "unknown", "source": NAME}
        image = forward_slashes(row["ImageID"])
        folder = row.cells.get("ImageDir", "").removesuffix(".0")
        paths = (f"{folder}/{image}", image) if folder else (image,)
        yield Record(row, paths, item, None, None, True, "ImageID")
    if excluded:
        notes.append(f'left out: {excluded} images that PadChest calls "exclude"')


def _names(row: Row) -> set[str]:
    """The names in a cell such as ``['normal', ' pleural effusion']``; some have blanks around them."""
    cell = row["Labels"]
    if cell in ("", "nan"):
        return set()
    try:
        names = ast.literal_eval(cell)
        return {str(name).strip() for name in names if str(name).strip()}
    except (ValueError, SyntaxError, TypeError):
        raise row.error(
            "Labels", f"{cell[:60]!r} is not a list of names", "write such as ['normal', 'nodule']"
        ) from None


def _label(row: Row, names: set[str], index: Mapping[str, int]) -> list[int | None]:
    said = names - _SILENT
    if not said:
        return [None] * len(index)
    label: list[int | None] = [0] * len(index)
    for name in said - {"normal"}:
        if name not in index:
            close = difflib.get_close_matches(name, index, n=1)
            action = f"did you mean {close[0]!r}?" if close else "names are those of PadChest's tree, in English"
            raise row.error("Labels", f"{name!r} is an unknown label", action)
        for implied in parents()[name]:
            label[index[implied]] = 1
    return label
