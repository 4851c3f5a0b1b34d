"""Which images of NIH ChestX-ray14 the experiments use: ``images.csv``, and ``split.csv`` for detectors.

``images.csv`` names every image, so that whoever has the data set can take the same ones. The split is of the boxed
images, for detectors, which learn from boxes; it was drawn once. ``python -m tools.nih.split SHARED_NIH`` writes both
again, which changes nothing.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cxr_common.cli import one_line_errors
from cxr_common.data.datalist import item_group
from cxr_common.errors import InputError
from cxr_common.files import write_text
from tools.results.data import Items

SPLIT = Path(__file__).with_name("split.csv")
IMAGES = Path(__file__).with_name("images.csv")
SEED = 19
#: Images of each section.
SIZES: dict[str, int] = {"training": 200, "validation": 80, "testing": 400}


def draw_split(items: Items, sizes: Mapping[str, int] = SIZES, seed: int = SEED) -> dict[str, list[str]]:
    """Split boxed images by patient.

    A patient of whom ../cxr's training rows have images goes to training, because other weights have learned from him.
    The rest is drawn at random: testing is filled first, then validation, then training.

    Args:
        items: boxed images, with "patient" and "patient_in_cxr_train".
        sizes: images of each section.
        seed: of the draw.

    Returns:
        Section -> names of images; those of training in random order, so that the first n are a fair draw.

    Raises:
        InputError: the patients do not fit into sections of these sizes.
    """
    random = np.random.default_rng(seed)
    patients: dict[str, Items] = defaultdict(list)
    for item in sorted(items, key=image_name):
        patients[item_group(item)].append(item)
    out: dict[str, list[str]] = {section: [] for section in sizes}
    for place in random.permutation(len(patients)):
        patient, own = list(patients.items())[place]
        learned = any(item.get("patient_in_cxr_train") for item in own)
        allowed = ["training"] if learned else ["testing", "validation", "training"]
        fitting = [section for section in allowed if len(out[section]) + len(own) <= sizes[section]]
        if not fitting:
            raise InputError(f"{len(own)} images of a patient fit into no section", patient, "take another seed")
        out[fitting[0]] += [image_name(item) for item in own]
    out["training"] = [str(name) for name in random.permutation(out["training"])]
    return out


def image_name(item: Mapping[str, object]) -> str:
    """NIH's own name of an image, without its ending."""
    return Path(str(item["image"])).stem


def read_boxed(shared: Path) -> Items:
    """What :func:`draw_split` must know of the boxed images in the folder of NIH's images."""
    rows = _rows(shared / "images.csv")
    known = [{**row, "patient_in_cxr_train": int(row["patient_in_cxr_train"] or 0)} for row in rows]
    return [row for row in known if row["split"] == "localisation"]


def list_images(shared: Path) -> str:
    """Text of ``images.csv``: NIH's name and the section of each image in the folder of NIH's images."""
    return _table(sorted((image_name(row), row["split"]) for row in _rows(shared / "images.csv")))


def read_split(path: Path = SPLIT) -> dict[str, list[str]]:
    """Section -> names of images, in the order of the file.

    Raises:
        InputError: an image is named twice.
    """
    out: dict[str, list[str]] = {section: [] for section in SIZES}
    for row in _rows(path):
        out[row["section"]].append(row["image"])
    names = [name for section in out.values() for name in section]
    if len(set(names)) < len(names):
        raise InputError("names an image twice", path, "draw it again")
    return out


def split_items(items: Items, split: Mapping[str, Sequence[str]]) -> dict[str, Items]:
    """Section -> boxed images, in the order of the split.

    Raises:
        InputError: an image of the split is not there.
    """
    known = {image_name(item): item for item in items}
    if missing := [name for names in split.values() for name in names if name not in known]:
        raise InputError(f"{len(missing)} images of the split are not there, {missing[0]} first", SPLIT)
    return {section: [known[name] for name in names] for section, names in split.items()}


def _table(rows: Iterable[tuple[str, str]]) -> str:
    return "image,section\n" + "".join(f"{name},{section}\n" for name, section in rows)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Write both tables; returns the exit status."""
    (shared,) = map(Path, sys.argv[1:] if argv is None else argv)
    split = draw_split(read_boxed(shared))
    write_text(_table((name, section) for section, names in split.items() for name in names), SPLIT)
    write_text(list_images(shared), IMAGES)
    return 0


if __name__ == "__main__":
    sys.exit(main())
