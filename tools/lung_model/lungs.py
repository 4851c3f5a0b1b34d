"""Lungs on real radiographs: the segmenter bundle on another datalist."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.data.masks import read_mask
from cxr_common.metrics import image_dice, image_iou
from cxr_common.metrics.statistics import hit_statistic
from cxr_common.segmentation.transforms import LUNGS
from tools.results.data import SECTIONS, Items, prepare, write_items
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet, mapped
from tools.results.plan import Runs
from tools.results.segmentation import segmented
from tools.results.settings import Settings

SIDES = ("Left Lung", "Right Lung")
FIGURES: dict[str, Any] = {
    "dice": lambda counts: hit_statistic(image_dice(counts)),
    "iou": lambda counts: hit_statistic(image_iou(counts)),
}


class Lungs(Experiment):
    """One training, scored on three test sets."""

    needs = "lungs are trained and scored on them alone"

    def plan_methods(self) -> Settings:
        """There is one."""
        return {"lungs": {"seeds": [0], "ships": self.settings["ships"]}}

    def make_data(self) -> Data:
        """Open images to learn from; held-out ones, closed ones, and radiologists' masks."""
        datalist, tests = make_lungs(self.settings, self.options.shared, self.work)
        images = {section: len(load_datalist(datalist, section)) for section in ("training", "validation")}
        return Data({"lungs": datalist}, tests, True, images)

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Dice and IoU at the originals' size."""
        tests = []
        for name, items in self.data.tests.items():
            counts = mapped(done, lambda run, items=items: segmented(run, items, labels=[LUNGS]))
            figures = [Figure(name, "all", mapped(counts, make)) for name, make in FIGURES.items()]
            tests.append(ScoredSet(name, [item_group(item) for item in items], figures))
        return tests, {}


def make_lungs(settings: Settings, shared: Path, work: Path) -> tuple[Path, dict[str, Items]]:
    """The training datalist, and the items of every test set.

    Returns:
        ``work/lungs.json`` (training and validation), and: "open" held-out groups, "nc"
        (both against the V7 masks), "radiologists" (left and right joined, groups that are not trained on).
    """
    items = lung_rows(settings, shared, work / "lungs_all.json")
    lungs = [_only(item, item["mask"][LUNGS]) for item in items if item["mask"].get(LUNGS)]
    open_rows = [item for item in lungs if item["licence_class"] == "open"]
    groups = sorted(
        {item["group"] for item in open_rows}, key=lambda g: hashlib.sha256(f"{settings['seed']} {g}".encode()).digest()
    )
    ends = np.cumsum([settings["fractions"][s] for s in SECTIONS[:2]]) * len(groups)
    parts = dict(zip(SECTIONS, np.split(np.array(groups, dtype=object), ends.round().astype(int)), strict=True))
    drawn = {name: [item for item in open_rows if item["group"] in set(part)] for name, part in parts.items()}
    seen, held_out = {*parts["training"], *parts["validation"]}, drawn.pop("testing")
    datalist = write_items(work / "lungs.json", drawn, labels=[LUNGS])
    closed = [item for item in lungs if item["licence_class"] != "open" and item["group"] not in seen]
    unseen = [item for item in items if item["group"] not in seen and all(item["mask"].get(side) for side in SIDES)]
    radiologists = [_only(item, joined(item, work / "lungs_masks")) for item in unseen]
    return datalist, {"open": held_out, "nc": closed, "radiologists": radiologists}


def lung_rows(settings: Settings, shared: Path, output: Path, *more: str) -> Items:
    """All rows that have a mask of anatomy, in one section of the datalist `output`."""
    unsplit = ("--set", "images.splits={train: testing, val: testing, test: testing}")
    every = prepare(settings["mapping"], shared, output, *unsplit, *more)
    return [item for item in load_datalist(every, "testing", shared) if item.get("mask")]


def _only(item: Settings, mask: str) -> Settings:
    return {**item, "label": [1], "mask": {LUNGS: mask}, "mask_origin": "expert"}


def joined(item: Settings, folder: Path) -> str:
    """Write the mask of both lungs of an item that has one of each; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{Path(item['image']).stem}.png"
    union = np.logical_or(*(read_mask(item["mask"][side]) for side in SIDES))
    Image.fromarray(255 * union.T.astype(np.uint8)).save(path)
    return str(path)
