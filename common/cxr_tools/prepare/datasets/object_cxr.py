"""Object-CXR as its organisers give it: train.csv, dev.csv (and test.csv), images in folders of these names or any.

A cell lists shapes, "0 x0 y0 x1 y1;2 x y x y x y": 0 rectangle, 1 ellipse, 2 polygon. An empty one says: none there.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.errors import InputError
from cxr_tools.prepare.datasets.base import DrawMask, Reading, Record, checked_box, file_name
from cxr_tools.prepare.shapes import ellipse_points, points_box, polygons_mask
from cxr_tools.prepare.table_files import count_lines, find_table, need_table
from cxr_tools.prepare.tables import Row, iterate_table

NAME = "object_cxr"
ALIASES: tuple[str, ...] = ("objectcxr",)
TITLE = "Object-CXR: foreign objects, train.csv and dev.csv"
LABEL = "Foreign Object"
_SPLITS = {"train": "training", "dev": "validation", "test": "testing"}
_ACTION = "write such as 0 10 20 30 40;2 1 1 5 1 5 5"
Points = list[tuple[float, float]]


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read images one after the other."""
    found = {split: find_table(root, f"{split}.csv") for split in _SPLITS}
    tables = {split: path for split, path in found.items() if path is not None}
    if not tables:
        need_table(root, "train.csv", "dev.csv")
    notes = [f"no {split}.csv" for split in ("train", "dev") if split not in tables]
    total = sum(count_lines(path) - 1 for path in tables.values())
    splits: dict[str, str | None] = {split: _SPLITS[split] for split in tables}
    return Reading([LABEL], _records(tables), total, splits, {}, notes)


def _records(tables: dict[str, Path]) -> Iterator[Record]:
    for split, table in tables.items():
        for row in iterate_table(table, needed=("annotation",)):
            column = next((c for c in ("image_path", "image_name") if c in row.cells), None)
            if column is None:
                raise InputError(
                    "no column 'image_path' or 'image_name'", f"{table} line 1", "use the table as it came"
                )
            outlines = [_outline(row, text) for text in row["annotation"].split(";") if text.strip()]
            boxes = [checked_box(row, "annotation", points_box(points)) for points in outlines]
            draw: DrawMask | None = partial(_draw, row, outlines) if outlines else None
            item: dict[str, Any] = {"label": [int(bool(boxes))], "boxes": boxes, "box_labels": [0] * len(boxes)}
            name = file_name(row[column])
            paths = (f"{split}/{name}", name)
            yield Record(row, paths, item | {"source": NAME}, split, {LABEL: draw}, True, column)


def _outline(row: Row, text: str) -> Points:
    kind, *rest = text.split()
    try:
        values = [float(value) for value in rest]
    except ValueError:
        values = [math.nan]
    if not all(map(math.isfinite, values)):
        raise row.error("annotation", f"{text.strip()[:60]!r} holds something that is not a number", _ACTION)
    points = list(zip(values[0::2], values[1::2], strict=False))
    enough = len(points) == 2 if kind in ("0", "1") else len(points) >= 3
    if kind not in ("0", "1", "2") or len(values) % 2 or not enough:
        reason = f"{text.strip()[:60]!r} is not a rectangle (0), ellipse (1) or polygon (2)"
        raise row.error("annotation", reason, _ACTION)
    if kind == "2":
        return points
    x0, y0, x1, y1 = checked_box(row, "annotation", values)
    return ellipse_points(x0, y0, x1, y1) if kind == "1" else [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def _draw(row: Row, outlines: list[Points], size: tuple[int, int] | None) -> np.ndarray:
    if size is None:  # without the file only the outlines say how large it is at least
        box = points_box([point for points in outlines for point in points])
        size = (int(np.ceil(box[2])) + 1, int(np.ceil(box[3])) + 1)
    try:
        return polygons_mask(outlines, size)
    except ValueError as error:
        raise row.error("annotation", str(error), "correct the row") from None
