"""NIH ChestX-ray14 as it comes: Data_Entry_2017*.csv, BBox_List_2017.csv, the official lists, images in any folders.

Images of the list train_val are split into training and validation by patient; those of test_list are the testing
section, which holds all images with boxes. Without the lists, patients with boxes are put into testing.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from cxr_common.boxes import xywh_to_xyxy
from cxr_common.errors import InputError
from cxr_tools.prepare.datasets.base import Reading, Record, SharedRule, checked_box, file_name, label_index
from cxr_tools.prepare.table_files import count_lines, find_table, need_table, open_table
from cxr_tools.prepare.tables import Row, iterate_table

NAME = "nih"
ALIASES: tuple[str, ...] = ("nih_chestxray14", "chestxray14")
TITLE = "NIH ChestX-ray14: Data_Entry_2017*.csv, BBox_List_2017.csv, train_val_list.txt, test_list.txt, images"
FINDINGS = (
    *("Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia", "Pneumothorax"),
    *("Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia"),
)
SHARED: dict[str, SharedRule] = {
    **{name: name for name in FINDINGS},
    "Opacity": ("Consolidation", "Infiltration", "Pneumonia", "Edema"),
}
_COLUMNS = ("Image Index", "Finding Labels", "Patient ID", "View Position")
_BOX_COLUMNS = ("Image Index", "Finding Label", "x", "y", "w", "h")
_LISTS = {"train_val": "train_val_list.txt", "test": "test_list.txt"}
Boxes = dict[str, tuple[Row, list[list[float]], list[int]]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read all lists and boxes at once, images one after the other."""
    table = need_table(root, "Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
    splits, notes = _splits(root)
    boxes = _boxes(root, notes)
    boxed_patients: set[str] = set()
    if splits:
        for name, (row, _, _) in boxes.items():
            if splits.get(name) == "train_val":
                raise row.error(
                    "Image Index", f"{name} has boxes, but {_LISTS['train_val']} has it", "use the official lists"
                )
    else:
        rows = iterate_table(table, needed=_COLUMNS)
        boxed_patients = {row["Patient ID"] for row in rows if _name(row) in boxes}
    records = _records(table, splits, boxes, boxed_patients, notes)
    total = count_lines(table) - 1
    notes.append(f"read: {total} rows of {table.name}, {sum(len(b) for _, b, _ in boxes.values())} boxes")
    sections: Mapping[str, str | None] = {"train_val": "training", "test": "testing"}
    return Reading(list(FINDINGS), records, total, sections, SHARED, notes)


def _records(
    table: Path, splits: Mapping[str, str], boxes: Boxes, boxed_patients: set[str], notes: list[str]
) -> Iterator[Record]:
    left, unread = dict(boxes), set(splits)
    index = {name: i for i, name in enumerate(FINDINGS)}
    for row in iterate_table(table, needed=_COLUMNS):
        name, patient = _name(row), row["Patient ID"]
        if not name or not patient:
            raise row.error("Patient ID" if name else "Image Index", "is empty", "fill it, or take the row out")
        item: dict[str, object] = {"patient": f"nih:{int(patient)}" if patient.isdecimal() else f"nih:{patient}"}
        item["label"] = _label(row, index)
        if (found := left.pop(name, boxes.get(name))) is not None:
            item |= {"boxes": found[1], "box_labels": found[2]}
        item |= {"view": row["View Position"] or "unknown", "source": NAME}
        split = splits.get(name) if splits else "test" if patient in boxed_patients else "train_val"
        if split is None:
            raise row.error(
                "Image Index", f"{name} is in none of the official lists", f"use both: {', '.join(_LISTS.values())}"
            )
        unread.discard(name)
        yield Record(row, (f"images/{name}", name), item, split, by_name=True, column="Image Index")
    for name, (row, _, _) in left.items():
        raise row.error(
            "Image Index", f"{name} is not an image of {table.name}", "take it out, or use the official table"
        )
    if unread:
        notes.append(f"{len(unread)} images of the official lists have no row in {table.name}: is it cut off?")


def _name(row: Row) -> str:
    return file_name(row["Image Index"])


def _label(row: Row, index: Mapping[str, int]) -> list[int | None]:
    names = [name.strip() for name in row["Finding Labels"].split("|") if name.strip()]
    if not names:
        return [None] * len(index)
    label: list[int | None] = [0] * len(index)
    for name in names:
        if name in index:
            label[index[name]] = 1
        elif name != "No Finding" or len(names) > 1:
            label_index(row, "Finding Labels", name, FINDINGS)
    return label


def _boxes(root: Path, notes: list[str]) -> Boxes:
    """Boxes by image; they count pixels of the published PNGs. The table calls Infiltration "Infiltrate"."""
    path = find_table(root, "BBox_List_2017.csv")
    if path is None:
        notes.append("no BBox_List_2017.csv: no boxes")
        return {}
    boxes: Boxes = {}
    repeated = 0
    for row in iterate_table(path, names=(*_BOX_COLUMNS, "column 7", "column 8", "column 9")):
        name = row["Finding Label"]
        found = boxes.setdefault(_name(row), (row, [], []))
        box = xywh_to_xyxy([row.number(column) for column in _BOX_COLUMNS[2:]]).tolist()
        box = checked_box(row, "w", box)
        index = label_index(row, "Finding Label", {"Infiltrate": "Infiltration"}.get(name, name), FINDINGS)
        if (box, index) in zip(found[1], found[2], strict=True):
            repeated += 1
            continue
        found[1].append(box)
        found[2].append(index)
    if repeated:
        notes.append(f"left out: {repeated} boxes that repeat another")
    return boxes


def _splits(
    root: Path,
) -> tuple[dict[str, str], list[str]]:
    """Split by image, from both official lists; empty where neither is there."""
    splits: dict[str, str] = {}
    found = {name: path for name, file in _LISTS.items() if (path := find_table(root, file)) is not None}
    if not found:
        return {}, ["no official lists: patients with boxes go to testing, a part of the others to validation"]
    for name, file in _LISTS.items():
        if name not in found:
            raise InputError(
                f"has {', '.join(p.name for p in found.values())}, but no {file}", root, "add it, or take both away"
            )
        with open_table(found[name]) as lines:
            for number, line in enumerate(lines, 1):
                image = file_name(line)
                if image and splits.setdefault(image, name) != name:
                    where = f"{found[name]} line {number}"
                    raise InputError(f"{image} is also in {_LISTS[splits[image]]}", where, "use the official lists")
    return splits, []
