"""CheXpert as it comes, full or small, with the masks of CheXlocalize where they are there.

The root is the folder that holds CheXpert-v1.0 or CheXpert-v1.0-small, or that folder itself. train.csv becomes
training, valid.csv validation and test.csv (or test_labels.csv) testing; for another use: --split valid=testing.
Patient and view come from the path. CheXlocalize's gt_segmentations_val.json and gt_segmentations_test.json (masks as
COCO run lengths), else its gt_annotations_*.json (polygons), are looked for in the root, in CheXlocalize and with the
tables.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

from cxr_common.errors import InputError
from cxr_tools.prepare.datasets.base import Reading, Record, forward_slashes
from cxr_tools.prepare.datasets.chexlocalize import Masks, read_masks
from cxr_tools.prepare.datasets.stanford import FINDINGS, SHARED, add_blank_option, finding_values
from cxr_tools.prepare.splits import draw_sections
from cxr_tools.prepare.table_files import count_lines, find_table, need_table
from cxr_tools.prepare.tables import Row, iterate_table

NAME = "chexpert"
ALIASES: tuple[str, ...] = ("chexlocalize",)
TITLE = "CheXpert, full or small, with the masks of CheXlocalize"
_FOLDERS = (".", "CheXpert-v1.0*", "CheXpert", "chexpert", "CheXpert/CheXpert-v1.0*")
#: Split of the images of valid that are learned from.
LEARNED = "valid, learned"
_PATH = re.compile(r"(?:^|/)(patient\d+)/(study\d+)/(view\d+_(frontal|lateral))\.\w+$")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The training table, what an empty cell means, and who learns from the experts' masks of valid."""
    parser.add_argument(
        "--learn-valid",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="share of valid's patients that goes to training, with their masks, as CheXseg has it (147 of 187 images:"
        " 0.79); drawn by --seed",
    )
    parser.add_argument(
        "--train-table", default="train.csv", help="another table of training labels, such as train_cheXbert.csv"
    )
    add_blank_option(parser)


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read all masks at once, images one after the other."""
    found = {
        "train": find_table(root, options.train_table, folders=_FOLDERS),
        "valid": find_table(root, "valid.csv", folders=_FOLDERS),
        "test": find_table(root, "test.csv", "test_labels.csv", folders=_FOLDERS),
    }
    tables = {name: path for name, path in found.items() if path is not None}
    if not tables:
        need_table(root, options.train_table, "valid.csv", folders=_FOLDERS)
    notes = [f"no {name}.csv" for name, path in found.items() if path is None]
    masks = read_masks(root, [path.parent for path in tables.values()])
    total = sum(count_lines(path) - 1 for path in tables.values())
    splits = {"train": "training", "valid": "validation", "test": "testing", LEARNED: "training"}
    learned = _learned(tables.get("valid"), options.learn_valid, options.seed)
    records = _records(root, tables, masks, options.blank, learned, notes)
    return Reading(list(FINDINGS), records, total, splits, SHARED, notes)


def _learned(valid: Path | None, share: float, seed: int) -> set[str]:
    """Patients of valid that are learned from."""
    if valid is None or share == 0:
        return set()
    if not 0 < share < 1:
        raise InputError(f"is {share}", "--learn-valid", "give a number above 0 and below 1")
    found = (_PATH.search(forward_slashes(row["Path"])) for row in iterate_table(valid, needed=("Path",)))
    patients = [match[1] for match in found if match]
    drawn = draw_sections(patients, (1 - share, 0.0), seed)
    return {patient for patient, section in zip(patients, drawn, strict=True) if section == "training"}


def _records(
    root: Path, tables: dict[str, Path], masks: Masks, blank: str, learned: set[str], notes: list[str]
) -> Iterator[Record]:
    left = dict(masks)
    for split, table in tables.items():
        for row in iterate_table(table, needed=("Path", *FINDINGS)):
            path = forward_slashes(row["Path"])
            if (parts := _PATH.search(path)) is None:
                action = "such as patient00001/study1/view1_frontal.jpg"
                raise row.error("Path", f"{path!r} names no patient, study and view", action)
            patient, study, view, side = parts.groups()
            item: dict[str, object] = {"patient": patient, "label": finding_values(row, blank)}
            item |= {"view": _view(row, side), "source": NAME}
            own = LEARNED if split == "valid" and patient in learned else split
            drawn = left.pop(f"{patient}_{study}_{view}", None)
            yield Record(row, _places(root, table, path, split, parts[0]), item, own, drawn, column="Path")
    if left:
        notes.append(
            f"masks of {len(left)} images are not used, for no table has these images: {', '.join([*left][:3])}"
        )


def _view(row: Row, side: str) -> str:
    view = row.cells.get("AP/PA", "")
    return "LATERAL" if side == "lateral" else view if view in ("AP", "PA") else "frontal"


def _places(root: Path, table: Path, path: str, split: str, tail: str) -> tuple[str, ...]:
    """Where the file may lie: as the table says, without its first folder, or beside the table."""
    beside = Path(os.path.relpath(table.parent, root)).as_posix()
    below = "" if beside == "." else f"{beside}/"
    return tuple(
        dict.fromkeys((path, path.partition("/")[2] or path, f"{below}{path}", f"{below}{split}/{tail.lstrip('/')}"))
    )
