"""The images that the opacity probe is about, beside the rest of NIH ChestX-ray14: machines and grey values."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tools.prepare.from_tables import datalist_from_tables
from tools.prepare.mapping import parse_mapping, read_mapping
from tools.results.localization import ERA
from tools.results.opacity_features import SPACING, Entry
from tools.results.opacity_rows import OPACITY, Rows

Items = list[dict[str, Any]]


def other_rows(table: Mapping[str, Entry], learnt: Rows, scored: Rows) -> tuple[list[Entry], list[Entry]]:
    """NIH's images that are neither learnt from nor scored here, nor of a patient that is learnt from.

    Returns:
        Pneumonia, and No Finding of the range of patients that No Finding is of here.
    """
    here = {entry["Image Index"] for rows in (learnt, scored) for entry in rows.entries}
    known = {entry["Patient ID"] for entry in learnt.entries}
    free = [e for e in table.values() if e["Image Index"] not in here and e["Patient ID"] not in known]
    pneumonia = [e for e in free if "Pneumonia" in e["Finding Labels"].split("|")]
    healthy = [e for e in free if e["Finding Labels"] == "No Finding" and ERA[0] <= int(e["Patient ID"]) <= ERA[1]]
    return pneumonia, healthy


def other_items(mapping: str, root: Path) -> Items:
    """Items of another set of NIH's images with absolute paths, without its boxed images, which all have a finding."""
    data = datalist_from_tables(parse_mapping(read_mapping(mapping), mapping), root)
    sections = ("training", "validation", "testing")
    return [{**item, "image": str(root / item["image"])} for section in sections for item in data[section]]


def machines(
    widths: Sequence[float], table: Mapping[str, Entry], learnt: Rows, scored: Rows
) -> dict[str, dict[str, Any]]:
    """Which machines made the pictures.

    Args:
        widths: of a detector's pixel in mm; a machine counts to the nearest, which is exact for all but 79 of NIH's.
        table: NIH's.
        learnt: rows of this set.
        scored: rows of this set.

    Returns:
        Set -> number of "images", and the "shares" of every width.
    """
    pneumonia, healthy = other_rows(table, learnt, scored)
    both = [(e, ill) for rows in (learnt, scored) for e, ill in zip(rows.entries, rows.present, strict=True)]
    sets = {
        "No Finding, this set": [entry for entry, ill in both if not ill],
        "No Finding, others": healthy,
        "Pneumonia, this set": [entry for entry, ill in both if ill],
        "Pneumonia, others": pneumonia,
    }
    return {name: {"images": len(rows), "shares": _shares(widths, rows)} for name, rows in sets.items()}


def _shares(widths: Sequence[float], rows: list[Entry]) -> dict[str, float]:
    counts = Counter(min(widths, key=lambda width: abs(float(row[SPACING]) - width)) for row in rows)
    return {str(width): counts[width] / len(rows) for width in widths}


def tones(here: Items, other: Items) -> dict[str, dict[str, Any]]:
    """How bright pictures are: set -> view -> number of "images" and the "median" of their mean grey values.

    Args:
        here: items of this set.
        other: items of another; its Opacity stands for Pneumonia, of which it has few.
    """
    found: defaultdict[str, defaultdict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for items, names in (
        (here, {0: "No Finding, this set", 1: "Pneumonia, this set"}),
        (other, {0: "No Finding, others", 1: "Opacity, others"}),
    ):
        for item in items:
            if (name := names.get(item["label"][OPACITY])) is not None:
                with Image.open(item["image"]) as file:
                    found[name][item["view"]].append(float(np.asarray(file.convert("L")).mean()))
    return {
        name: {view: {"images": len(v), "median": float(np.median(v))} for view, v in sorted(views.items())}
        for name, views in found.items()
    }
