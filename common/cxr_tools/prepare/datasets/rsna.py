"""RSNA Pneumonia Detection Challenge 2018 as Kaggle has it: stage_2_train_labels.csv and stage_2_train_images/*.dcm.

Target 0 is "no lung opacity", which is not "normal": stage_2_detailed_class_info.csv, where it is there, says which.
Its images are from NIH ChestX-ray14: do not score a network on them if it learned from that set.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cxr_common.boxes import xywh_to_xyxy
from cxr_tools.prepare.datasets.base import Reading, Record, checked_box
from cxr_tools.prepare.table_files import find_table, need_table
from cxr_tools.prepare.tables import Row, iterate_table

NAME = "rsna"
ALIASES: tuple[str, ...] = ("rsna_pneumonia",)
TITLE = "RSNA Pneumonia Detection Challenge: stage_2_train_labels.csv and stage_2_train_images/*.dcm"
LABEL = "Lung Opacity"
_COLUMNS = ("patientId", "x", "y", "width", "height", "Target")


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read the whole table at once, because an image has one row per box."""
    table = need_table(root, "stage_2_train_labels.csv", "stage_1_train_labels.csv")
    rows: dict[str, list[Row]] = {}
    for row in iterate_table(table, needed=_COLUMNS):
        if not row["patientId"]:
            raise row.error("patientId", "is empty", "fill it, or take the row out")
        rows.setdefault(row["patientId"], []).append(row)
    notes = [f"read: {sum(map(len, rows.values()))} rows of {table.name}"]
    records = _records(rows, _classes(root))
    return Reading([LABEL], records, len(rows), {}, {"Opacity": LABEL}, notes)


def _records(rows: dict[str, list[Row]], classes: dict[str, str]) -> Iterator[Record]:
    for name, found in rows.items():
        boxes: list[list[float]] = []
        for row in found:
            if row["Target"] not in ("0", "1") or row["Target"] != found[0]["Target"]:
                reason = f"is {row['Target']!r}" + (
                    f", in line {found[0].line} {found[0]['Target']!r}" if row != found[0] else ""
                )
                raise row.error("Target", reason, "0 or 1, the same in all rows of an image")
            if row["Target"] == "1":
                box = xywh_to_xyxy([row.number(column) for column in _COLUMNS[1:5]]).tolist()
                if (checked := checked_box(row, "width", box)) not in boxes:
                    boxes.append(checked)
        item: dict[str, Any] = {
            "patient": name,
            "label": [int(bool(boxes))],
            "boxes": boxes,
            "box_labels": [0] * len(boxes),
        }
        if name in classes:
            item["class"] = classes[name]
        yield Record(
            found[0], (f"stage_2_train_images/{name}.dcm",), item | {"source": NAME}, None, None, True, "patientId"
        )


def _classes(root: Path) -> dict[str, str]:
    path = find_table(root, "stage_2_detailed_class_info.csv")
    return (
        {row["patientId"]: row["class"] for row in iterate_table(path, needed=("patientId", "class"))} if path else {}
    )
