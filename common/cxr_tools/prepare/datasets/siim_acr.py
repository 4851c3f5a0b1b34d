"""SIIM-ACR Pneumothorax Segmentation as Kaggle had it: train-rle.csv, and DICOM files in any folders.

Masks are run lengths, relative and by columns; an image has as many rows as it has outlines, -1 is none. The challenge
has no split of labelled images: patients, who stand in the DICOM headers, are dealt out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from cxr_tools.prepare.datasets.base import DrawMask, Reading, Record
from cxr_tools.prepare.run_lengths import decode_siim
from cxr_tools.prepare.table_files import need_table
from cxr_tools.prepare.tables import Row, iterate_table

NAME = "siim"
ALIASES: tuple[str, ...] = ("siim_acr",)
TITLE = "SIIM-ACR Pneumothorax Segmentation: train-rle.csv and DICOM files in any folders"
LABEL = "Pneumothorax"
_NAMES = ("train-rle.csv", "stage_2_train.csv", "train-rle-sample.csv")
#: Of all images of the challenge; a file that is there says its own.
_SIZE = (1024, 1024)
_EMPTY = "-1"


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read the whole table at once, because an image has several rows; masks are drawn image by image."""
    table = need_table(root, *_NAMES)
    rows: dict[str, list[Row]] = {}
    repeated = 0
    for row in iterate_table(table, needed=("ImageId", "EncodedPixels")):
        if not row["ImageId"] or not row["EncodedPixels"]:
            column = "EncodedPixels" if row["ImageId"] else "ImageId"
            raise row.error(column, "is empty", "fill it, with -1 where there is no outline, or take the row out")
        found = rows.setdefault(row["ImageId"], [])
        if any(other["EncodedPixels"] == row["EncodedPixels"] for other in found):
            repeated += 1
            continue
        if found and _EMPTY in (row["EncodedPixels"], found[0]["EncodedPixels"]):
            reason = f"the image has both -1, no mask, and outlines: see line {found[0].line}"
            raise row.error("EncodedPixels", reason, "keep -1, or the outlines")
        found.append(row)
    notes = [f"read: {repeated + sum(map(len, rows.values()))} rows of {table.name}"]
    notes += [f"left out: {repeated} rows that repeat another"] if repeated else []
    return Reading([LABEL], _records(rows), len(rows), {}, {LABEL: LABEL}, notes, complete=_add_header)


def _records(rows: dict[str, list[Row]]) -> Iterator[Record]:
    for name, found in rows.items():
        present = found[0]["EncodedPixels"] != _EMPTY
        item: dict[str, Any] = {"label": [int(present)], "source": NAME}
        draw: DrawMask | None = partial(_draw, found) if present else None
        yield Record(found[0], (f"dicom-images-train/{name}.dcm",), item, None, {LABEL: draw}, True, "ImageId")


def _draw(rows: list[Row], size: tuple[int, int] | None) -> np.ndarray:
    masks = []
    for row in rows:
        try:
            masks.append(decode_siim(row["EncodedPixels"], size or _SIZE))
            if not masks[-1].any():
                raise ValueError("no pixel is inside, and yet it is not -1")
        except ValueError as error:
            action = "runs are pairs of start and length for the image at its published size"
            raise row.error("EncodedPixels", f"is not a mask: {error}", action) from None
    return np.logical_or.reduce(masks)


def _add_header(file: Path, item: dict[str, Any]) -> None:
    """Patient and view of a DICOM file."""
    if file.suffix.lower() not in (".dcm", ".dicom"):
        return
    header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=["PatientID", "ViewPosition"], force=True)
    for key, value in (("patient", header.get("PatientID")), ("view", header.get("ViewPosition"))):
        if value:
            item[key] = str(value)
