"""Good radiographs for training and scoring, split by patient over all sets of ../shared."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.errors import InputError

#: Rows and columns of the pictures that changes start from; larger than a thumbnail, so that a part can be enlarged.
SIDE = 96
Pictures = dict[str, np.ndarray]


@dataclass(frozen=True)
class Radiograph:
    """One file, and the set and patient that it is of."""

    file: Path
    source: str
    patient: str


def find_good(shared: Path) -> dict[str, list[Radiograph]]:
    """Radiographs of ../shared by split: "training", "validation", "testing".

    Testing has the patients that ../shared/nih holds out, the test rows of ../shared/cxr, and all images that must not
    train (licence class nc). No patient of testing or validation is in training.

    Raises:
        InputError: a table of ../shared is not there.
    """
    splits: dict[str, list[Radiograph]] = {"training": [], "validation": [], "testing": []}
    held = {"localisation": "testing", "val": "validation", "test": "testing", "train": "training"}
    for row in _rows(shared / "nih" / "images.csv"):
        split, source = held.get(row["split"], row["split"]), "NIH " + row["view"]
        splits[split].append(Radiograph(shared / "nih" / row["image"], source, f"nih:{int(row['patient'])}"))
    for row in _rows(shared / "cxr" / "manifest.csv"):
        split = held[row["split"]] if row["licence_class"] == "open" else "testing"
        file, source = shared / "cxr" / row["file"], f"{row['dataset']} {row['view'].split()[0]}"
        splits[split].append(Radiograph(file, source, row["group_id"]))
    for split, before in (("validation", ["testing"]), ("training", ["testing", "validation"])):
        seen = {image.patient for name in before for image in splits[name]}
        splits[split] = [image for image in splits[split] if image.patient not in seen]
    return splits


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError("there is no such table", path, "name the folder of the radiographs with --shared")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_grey(path: Path) -> np.ndarray:
    """A picture file as grey uint8 (rows, columns)."""
    with Image.open(path) as image:
        return np.asarray(image.convert("L"))


def reduced(grey: np.ndarray, side: int = SIDE) -> np.ndarray:
    """A picture averaged to a square, uint8 (side, side)."""
    return np.asarray(Image.fromarray(grey).resize((side, side), Image.Resampling.BOX))


def reduced_radiographs(images: list[Radiograph]) -> Pictures:
    """Source -> uint8 (N, `SIDE`, `SIDE`)."""
    found: dict[str, list[np.ndarray]] = defaultdict(list)
    for image in images:
        found[image.source].append(reduced(read_grey(image.file)))
    return {source: np.stack(pictures) for source, pictures in sorted(found.items())}


def phantoms(seed: int, count: int) -> np.ndarray:
    """Phantoms, uint8 (N, `SIDE`, `SIDE`)."""
    config = PhantomConfig(size=128)
    pictures = (make_phantom(seed, index, config).image for index in range(count))
    return np.stack([reduced((255 * picture).round().astype(np.uint8)) for picture in pictures])
