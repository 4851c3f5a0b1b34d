"""MIMIC-CXR-JPG as PhysioNet has it: mimic-cxr-2.*-metadata, -split and -chexpert (or -negbio) .csv.gz, and files/.

The official split: train, validate, test. Labels are of a study, so all its images have them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from cxr_common.errors import InputError
from cxr_tools.prepare.datasets.base import Reading, Record
from cxr_tools.prepare.datasets.stanford import FINDINGS, SHARED, add_blank_option, finding_values
from cxr_tools.prepare.table_files import count_lines
from cxr_tools.prepare.tables import iterate_table

NAME = "mimic"
ALIASES: tuple[str, ...] = ("mimic_cxr", "mimic_cxr_jpg")
TITLE = "MIMIC-CXR-JPG: metadata, split and labels of PhysioNet, files/p10/p10000032/s50414267/*.jpg"
_METADATA = ("dicom_id", "subject_id", "study_id", "ViewPosition")
_SPLITS = {"train": "training", "validate": "validation", "test": "testing"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Whose labels, and what an empty cell means."""
    parser.add_argument(
        "--labeler",
        choices=("chexpert", "negbio"),
        default="chexpert",
        help="the tool whose labels of reports are used",
    )
    add_blank_option(parser)


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read all splits and labels at once, images one after the other."""
    metadata = _table(root, "metadata")
    splits = _read_splits(_table(root, "split"))
    labels = _read_labels(_table(root, options.labeler), options.blank)
    notes: list[str] = []
    records = _records(metadata, splits, labels, notes)
    sections: dict[str, str | None] = dict(_SPLITS)
    return Reading(list(FINDINGS), records, count_lines(metadata) - 1, sections, SHARED, notes)


def _table(root: Path, kind: str) -> Path:
    found = sorted(path for suffix in ("", ".gz") for path in root.glob(f"mimic-cxr-2.*-{kind}.csv{suffix}"))
    if not found:
        action = "give the folder of MIMIC-CXR-JPG, with its csv.gz tables and files/, as --root"
        raise InputError(f"has no mimic-cxr-2.*-{kind}.csv.gz", root, action)
    return found[0]


def _read_splits(path: Path) -> dict[str, str]:
    splits: dict[str, str] = {}
    for row in iterate_table(path, needed=("dicom_id", "split")):
        if row["split"] not in _SPLITS:
            raise row.error("split", f"{row['split']!r} is not a split", f"splits are {', '.join(_SPLITS)}")
        if splits.setdefault(row["dicom_id"], row["split"]) != row["split"]:
            reason = f"{row['dicom_id']!r} is in {splits[row['dicom_id']]} in an earlier line"
            raise row.error("split", reason, "keep the line that is right")
    return splits


def _read_labels(path: Path, blank: str) -> dict[str, tuple[int | None, ...]]:
    labels: dict[str, tuple[int | None, ...]] = {}
    for row in iterate_table(path, needed=("study_id", *FINDINGS)):
        values = tuple(finding_values(row, blank))
        if labels.setdefault(row["study_id"], values) != values:
            reason = f"study {row['study_id']!r} has other labels in an earlier line"
            raise row.error("study_id", reason, "keep the line that is right")
    return labels


def _records(
    metadata: Path, splits: dict[str, str], labels: dict[str, tuple[int | None, ...]], notes: list[str]
) -> Iterator[Record]:
    without, unread = 0, set(splits)
    for row in iterate_table(metadata, needed=_METADATA):
        dicom, subject, study, view = (row[column] for column in _METADATA)
        if dicom not in splits:
            raise row.error("dicom_id", f"{dicom!r} is not in the table of splits", "use tables of one release")
        unread.discard(dicom)
        path = f"files/p{subject[:2]}/p{subject}/s{study}/{dicom}.jpg"
        item: dict[str, object] = {"patient": subject}
        if (values := labels.get(study)) is not None:
            item["label"] = list(values)
        else:
            without += 1
        side = "LATERAL" if view in ("LL", "RL", "LATERAL") else view or "unknown"
        yield Record(
            row,
            (path, path.removeprefix("files/")),
            item | {"view": side, "source": NAME},
            splits[dicom],
            column="dicom_id",
        )
    if unread:
        notes.append(f"{len(unread)} images of the table of splits have no row in {metadata.name}: is it cut off?")
    if without:
        notes.append(f"{without} images are of studies that the table of labels does not have: not annotated")
