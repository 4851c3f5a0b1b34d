"""VinDr-CXR as PhysioNet has it (annotations/, train/, test/), or VinBigData's train.csv as Kaggle has it.

Three of 17 radiologists read each training image. --readers says what becomes of that: fused (weighted boxes fusion:
boxes of a class that overlap become one), all (each reader's boxes), or one reader, such as R9, and the images that he
or she read. A class is present where --agree readers say so, uncertain where fewer do; boxes of uncertain classes are
left out. The test images of PhysioNet have the consensus of five. The tables name no patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.prepare.box_fusion import fuse_boxes
from cxr_tools.prepare.datasets.base import Reading, Record, checked_box, label_index
from cxr_tools.prepare.labels import cell_value
from cxr_tools.prepare.table_files import find_table, need_table
from cxr_tools.prepare.tables import Row, iterate_table

NAME = "vindr"
ALIASES: tuple[str, ...] = ("vindr_cxr", "vinbigdata")
TITLE = "VinDr-CXR of PhysioNet, or VinBigData's train.csv: boxes of several readers"
NO_FINDING = "No finding"
FINDINGS = (
    *("Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Consolidation", "ILD", "Infiltration"),
    *("Lung Opacity", "Nodule/Mass", "Other lesion", "Pleural effusion", "Pleural thickening", "Pneumothorax"),
    "Pulmonary fibrosis",
)
SHARED = {
    **{name: name for name in ("Atelectasis", "Cardiomegaly", "Consolidation", "Pneumothorax")},
    "Effusion": "Pleural effusion",
    "Opacity": "Lung Opacity",
}
_EDGES = ("x_min", "y_min", "x_max", "y_max")
_FOLDERS = (".", "annotations")
_OVERLAP = 0.4
_CELLS = "cells are 1 or 0; use the table as it came"


def add_options(parser: argparse.ArgumentParser) -> None:
    """What becomes of several readers."""
    parser.add_argument("--readers", default="fused", help="fused (default), all, or the name of one, such as R9")
    parser.add_argument(
        "--agree", type=int, default=1, help="number of readers who must see a finding; if fewer do, it is uncertain"
    )
    parser.add_argument("--overlap", type=float, default=_OVERLAP, help="boxes of a class are fused from this IoU on")


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read the whole tables at once, because an image has one row per box and reader."""
    if options.agree < 1 or not 0 < options.overlap < 1:
        raise InputError("are to be a whole number from 1 on, and a number between 0 and 1", "--agree and --overlap")
    train = need_table(root, "annotations_train.csv", "train.csv", folders=_FOLDERS)
    test = find_table(root, "annotations_test.csv", folders=_FOLDERS)
    tables = {"train": train, **({"test": test} if test else {})}
    labels = {s: find_table(root, f"image_labels_{s}.csv", folders=_FOLDERS) for s in tables}
    more: dict[str, tuple[str, ...]] = {"train": ("rad_id",), "test": ()}
    names = _names(labels["train"])
    columns = (*names, NO_FINDING) if labels["train"] else ()
    rows = {split: _rows(path, labels[split], more[split], columns) for split, path in tables.items()}
    readers = {row.cells["rad_id"] for found in rows["train"].values() for row in found}
    if options.readers not in ("fused", "all", *readers):
        raise InputError(
            f"{options.readers!r} read no image", "--readers", f"fused, all, or {', '.join(sorted(readers))}"
        )
    splits = {"train": "training", "test": "testing"} if test else {"train": "training"}
    total = sum(map(len, rows.values()))
    notes = [f"read: {sum(len(r) for i in rows.values() for r in i.values())} rows"]
    return Reading(names, _records(rows, names, options, notes), total, splits, SHARED, notes)


def _names(labels: Path | None) -> list[str]:
    """PhysioNet's classes are the columns of its image labels; Kaggle's are 14 of them."""
    if labels is None:
        return list(FINDINGS)
    row = next(iterate_table(labels, needed=("image_id",)))
    return [name for name in row.cells if name not in ("image_id", "rad_id", NO_FINDING)]


def _rows(boxes: Path, labels: Path | None, more: tuple[str, ...], columns: tuple[str, ...]) -> dict[str, list[Row]]:
    """Rows by image: of boxes, and of image labels, which have no class_name but a column for each of `columns`."""
    rows: dict[str, list[Row]] = {}
    tables = [iterate_table(boxes, needed=("image_id", "class_name", *_EDGES, *more))]
    if labels:
        tables.append(iterate_table(labels, needed=("image_id", *more, *columns)))
    for row in chain(*tables):
        if empty := [column for column in ("image_id", *more) if not row[column]]:
            raise row.error(empty[0], "is empty", "fill it, or take the row out")
        rows.setdefault(row["image_id"], []).append(row)
    return rows


def _records(
    rows: dict[str, dict[str, list[Row]]], names: Sequence[str], options: argparse.Namespace, notes: list[str]
) -> Iterator[Record]:
    unread = 0
    for split, images in rows.items():
        for image, found in images.items():
            one = options.readers not in ("fused", "all") and split == "train"
            used = [row for row in found if not one or row["rad_id"] == options.readers]
            if not used:
                unread += 1
                continue
            item = _item(used, names, options) | {"source": NAME}
            yield Record(used[0], (f"{split}/{image}.dicom",), item, split, None, True, "image_id")
    if unread:
        notes.append(f"left out: {unread} images that {options.readers} did not read")


def _item(rows: Sequence[Row], names: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    readers = {row.cells.get("rad_id", "consensus") for row in rows}
    said: dict[int, set[str]] = {index: set() for index in range(len(names))}
    drawn: dict[str, list[tuple[list[float], int]]] = {reader: [] for reader in sorted(readers)}
    for row in rows:
        reader = row.cells.get("rad_id", "consensus")
        if "class_name" not in row.cells:
            for index, name in enumerate(names):
                value = cell_value(row, name, {}, _CELLS)
                if value not in (0, 1):
                    raise row.error(name, f"{row[name]!r} is not a label value", _CELLS)
                if value == 1:
                    said[index].add(reader)
        elif row["class_name"] != NO_FINDING:
            index = label_index(row, "class_name", row["class_name"], names)
            box = (checked_box(row, "x_max", [row.number(edge) for edge in _EDGES]), index)
            said[index].add(reader)
            if box not in drawn[reader]:
                drawn[reader].append(box)
    enough = min(options.agree, len(readers))
    label = [1 if len(who) >= enough else -1 if who else 0 for who in said.values()]
    if options.readers == "fused" and len(readers) > 1:
        boxes = fuse_boxes([*drawn.values()], options.overlap)
    else:
        boxes = [box for found in drawn.values() for box in found]
    kept = [(box, index) for box, index in boxes if label[index] == 1]
    return {"label": label, "boxes": [box for box, _ in kept], "box_labels": [index for _, index in kept]}
