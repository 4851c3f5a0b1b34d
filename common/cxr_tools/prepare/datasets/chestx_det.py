"""ChestX-Det as its authors give it: ChestX_Det_train.json, ChestX_Det_test.json (boxes and polygons), PNG images.

Its images are from NIH ChestX-ray14 under other names, without patients: do not score a network on them if it
learned from that set. Polygons become masks; a finding that has none in an image is annotated, empty.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.errors import InputError
from cxr_common.json_files import read_json
from cxr_tools.prepare.datasets.base import (
    DrawMask,
    JsonPlace,
    Reading,
    Record,
    checked_box,
    forward_slashes,
    label_index,
)
from cxr_tools.prepare.shapes import polygons_mask

NAME = "chestx_det"
ALIASES: tuple[str, ...] = ("chestxdet",)
TITLE = "ChestX-Det: ChestX_Det_train.json, ChestX_Det_test.json and images"
FINDINGS = (
    *("Atelectasis", "Calcification", "Cardiomegaly", "Consolidation", "Diffuse Nodule", "Effusion", "Emphysema"),
    *("Fibrosis", "Fracture", "Mass", "Nodule", "Pleural Thickening", "Pneumothorax"),
)
SHARED = {
    name: name for name in ("Atelectasis", "Cardiomegaly", "Consolidation", "Effusion", "Mass", "Pneumothorax")
} | {"Nodule": ("Nodule", "Diffuse Nodule")}
#: Of all published images; a file that is there says its own.
_SIZE = (1024, 1024)
_ACTION = "use the file as ChestX-Det has it"


def add_options(parser: argparse.ArgumentParser) -> None:
    """It has none."""


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read both files at once; masks are drawn image by image."""
    found = {s: root / f"ChestX_Det_{s}.json" for s in ("train", "test") if (root / f"ChestX_Det_{s}.json").is_file()}
    if not found:
        raise InputError(
            "has no ChestX_Det_train.json or ChestX_Det_test.json", root, "give the folder of both as --root"
        )
    entries = {split: _entries(path) for split, path in found.items()}
    notes = [f"no ChestX_Det_{split}.json" for split in ("train", "test") if split not in found]
    records = _records(found, entries)
    splits = {"train": "training", "test": "testing"}
    return Reading(list(FINDINGS), records, sum(map(len, entries.values())), splits, SHARED, notes)


def _entries(path: Path) -> Sequence[Any]:
    data = read_json(path, _ACTION)
    keys = ("file_name", "syms", "boxes", "polygons")
    if not isinstance(data, list):
        raise InputError("is not a list of images", path, _ACTION)
    for n, entry in enumerate(data):
        missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
        if missing:
            raise InputError(f"has no {missing[0]!r}", f"{path} [{n}]", _ACTION)
        if not isinstance(entry["file_name"], str) or not all(isinstance(entry[key], list) for key in keys[1:]):
            raise InputError("is not of a name and three lists", f"{path} [{n}]", _ACTION)
        if not len(entry["syms"]) == len(entry["boxes"]) == len(entry["polygons"]):
            raise InputError("has not as many boxes and polygons as findings", f"{path} [{n}]", _ACTION)
    return data


def _records(found: dict[str, Path], entries: dict[str, Sequence[Any]]) -> Iterator[Record]:
    for split, path in found.items():
        for n, entry in enumerate(entries[split]):
            place = JsonPlace(path, f"[{n}]")
            indices = [label_index(place, "syms", name, FINDINGS) for name in entry["syms"]]
            boxes = [checked_box(place, "boxes", _numbers(place, "boxes", box)) for box in entry["boxes"]]
            polygons: dict[int, list[Any]] = {}
            for index, points in zip(indices, entry["polygons"], strict=True):
                polygons.setdefault(index, []).append(points)
            masks: dict[str, DrawMask | None] = {
                name: partial(_draw, place, polygons[i]) if i in polygons else None for i, name in enumerate(FINDINGS)
            }
            item = {"label": [int(i in indices) for i in range(len(FINDINGS))], "boxes": boxes, "box_labels": indices}
            name = forward_slashes(entry["file_name"])
            yield Record(place, (f"{split}_data/{name}",), item | {"source": NAME}, split, masks, True, "file_name")


def _numbers(place: JsonPlace, key: str, values: Any) -> list[float]:
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        raise place.error(key, f"{values!r} is not a box of four numbers", _ACTION) from None


def _draw(place: JsonPlace, polygons: Sequence[Any], size: tuple[int, int] | None) -> np.ndarray:
    try:
        return polygons_mask(polygons, size or _SIZE)
    except TypeError as error:
        raise place.error("polygons", f"holds no list of points ({error})", _ACTION) from None
    except ValueError as error:
        raise place.error("polygons", str(error), _ACTION) from None
