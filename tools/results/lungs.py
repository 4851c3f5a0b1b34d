"""Lungs on real radiographs: the segmenter bundle on another datalist."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from monai.data import Dataset
from PIL import Image

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.data.masks import read_mask
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256, mask_tables, predict
from cxr_common.findings import load_map_thresholds
from cxr_common.metrics import bootstrap_ci, image_dice, image_iou
from cxr_common.networks import weights_sha256
from tools.repository import BUNDLES
from tools.results.data import run_tool
from tools.results.options import Options
from tools.results.record import write_once
from tools.results.runs import Run, finished, ship, train_all, training_hash
from tools.results.segmentation import mean_of

LUNGS, SIDES = "Lungs", ("Left Lung", "Right Lung")
Settings = dict[str, Any]


def make_lungs(settings: Settings, shared: Path, work: Path) -> tuple[Path, dict[str, list[Settings]]]:
    """The training datalist, and the items of every test set.

    Returns:
        ``work/lungs.json`` (training and validation), and: "open" held-out groups, "nc"
        (both against the V7 masks), "radiologists" (left and right joined, groups that are not trained on).
    """
    every, masks = work / "lungs_all.json", work / "lungs_masks"
    masks.mkdir(parents=True, exist_ok=True)
    unsplit = "images.splits={train: testing, val: testing, test: testing}"
    mapping = ("--mapping", settings["mapping"], "--root", shared, "--set", unsplit)
    run_tool("tools.prepare", "csv", *mapping, "--output", every)
    items = [item for item in load_datalist(every, "testing", shared) if item.get("mask")]
    lungs = [_only(item, item["mask"][LUNGS]) for item in items if item["mask"].get(LUNGS)]
    open_rows = [item for item in lungs if item["licence_class"] == "open"]
    groups = sorted(
        {item["group"] for item in open_rows}, key=lambda g: hashlib.sha256(f"{settings['seed']} {g}".encode()).digest()
    )
    ends = np.cumsum([settings["fractions"][s] for s in ("training", "validation")]) * len(groups)
    first, second = (int(round(end)) for end in ends)
    parts = {"training": set(groups[:first]), "validation": set(groups[first:second]), "testing": set(groups[second:])}
    seen = parts["training"] | parts["validation"]
    sections = {name: [item for item in open_rows if item["group"] in part] for name, part in parts.items()}
    content = {name: [relative_item(item, work) for item in sections[name]] for name in ("training", "validation")}
    datalist = work / "lungs.json"
    write_datalist({"labels": [LUNGS], **content}, datalist)
    joined = []
    for item in items:
        if all(item["mask"].get(side) for side in SIDES) and item["group"] not in seen:
            path = masks / f"{Path(item['image']).stem}.png"
            union = np.logical_or(*(read_mask(item["mask"][side]) for side in SIDES))
            Image.fromarray(255 * union.T.astype(np.uint8)).save(path)
            joined.append(_only(item, str(path)))
    closed = [item for item in lungs if item["licence_class"] != "open" and item["group"] not in seen]
    return datalist, {"open": sections["testing"], "nc": closed, "radiologists": joined}


def _only(item: Settings, mask: str) -> Settings:
    return {**item, "label": [1], "mask": {LUNGS: mask}, "mask_origin": "expert"}


def run_lungs(options: Options) -> None:
    """Train the lung model, score it, and write ``lungs.json``; there is one training, so `only` says nothing.

    Raises:
        InputError: the real radiographs are not there, or nothing is trained.
    """
    settings: Settings = yaml.safe_load(options.experiment.read_text(encoding="utf-8"))
    change = settings.pop("quick")
    settings["quick"] = options.quick
    if options.quick:
        settings["overrides"] |= change["overrides"]
    if not options.shared.is_dir():
        raise InputError(
            "the real radiographs are not there", options.shared, "lungs are trained and scored on them alone"
        )
    datalist, tests = make_lungs(settings, options.shared, options.work)
    data_hash = training_hash(datalist, masks=True)
    bundle = BUNDLES / settings["bundle"]
    configs = tuple(bundle / "configs" / c for c in settings["configs"])
    run = Run("lungs", 0, bundle, configs, settings["overrides"], options.work / "runs" / "lungs")
    if options.train:
        train_all([(run, datalist, data_hash)], 1)
    if not options.score:
        return
    done = finished({"lungs": [run]}, {"lungs": data_hash}, options.work)
    inputs: Settings = {
        "experiment": "lungs",
        "quick": options.quick,
        "recipe": settings,
        "images": {s: len(load_datalist(datalist, s)) for s in ("training", "validation")},
        "trained_on": data_hash,
        "weights_sha256": weights_sha256(run.weights),
        "test_sha256": {name: data_sha256(items, masks=True) for name, items in tests.items()},
    }

    def score() -> Settings:
        tables = {name: _figures(run, items) for name, items in tests.items()}
        return {"training_minutes": run.minutes(), "tests": tables}

    write_once(inputs, options.output / "lungs.json", score)
    if options.ship:
        ship(done, {"lungs": settings})


def _figures(run: Run, items: list[Settings]) -> Settings:
    """Dice and IoU at the originals' size, with intervals by patient group."""
    thresholds = load_map_thresholds(run.folder / "thresholds.json", [LUNGS], run.weights)
    dataset = Dataset(items, run.config([LUNGS]).get_parsed_content("score#dataset#transform"))
    predictions = predict(run.network([LUNGS]), dataset, [LUNGS])
    counts, _ = mask_tables(predictions, thresholds)["original"]
    tables = {"dice": image_dice(counts), "iou": image_iou(counts)}
    return {
        "n_images": len(items),
        "n_groups": len(set(predictions.patients)),
        **{name: bootstrap_ci(mean_of(table), predictions.patients).to_dict() for name, table in tables.items()},
    }
