"""Lungs on real radiographs: the segmenter bundle on another datalist."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from monai.bundle import ConfigParser
from monai.data import Dataset
from PIL import Image

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist import rebase_paths
from cxr_common.data.masks import read_mask
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256, mask_tables, predict, provenance, write_json
from cxr_common.findings import load_thresholds
from cxr_common.metrics import bootstrap_ci, image_dice, image_iou
from cxr_common.networks import load_weights, weights_sha256
from tools.results.data import run_tool
from tools.results.runs import Run, train_all
from tools.results.segmentation import mean_of

REPOSITORY = Path(__file__).resolve().parents[2]
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
    content = {name: [_relative(item, work) for item in sections[name]] for name in ("training", "validation")}
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


def _relative(item: Settings, folder: Path) -> Settings:
    return rebase_paths(item, lambda path: Path(os.path.relpath(os.path.realpath(path), folder.resolve())).as_posix())


def _only(item: Settings, mask: str) -> Settings:
    return {**item, "label": [1], "mask": {LUNGS: mask}, "mask_origin": "expert"}


def run_lungs(
    experiment: Path,
    work: Path,
    shared: Path,
    output: Path,
    parallel: int = 2,
    only: Sequence[str] | None = None,
    train: bool = True,
    score: bool = True,
    ship: bool = False,
    quick: bool = False,
) -> None:
    """Train the lung model, score it, and write ``output/lungs.json``.

    Args:
        experiment: YAML file as ``lungs.yaml`` beside this module.
        work: folder of data and runs; what is there and fits is used again.
        shared: folder of the real radiographs.
        output: folder of the result file.
        parallel: not used: there is one training.
        only: not used.
        train: train, unless it is done.
        score: score what is trained.
        ship: copy weights and thresholds into the bundle.
        quick: a fraction of the training, marked.

    Raises:
        InputError: the real radiographs are not there, or nothing is trained.
    """
    settings: Settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    change = settings.pop("quick")
    settings["quick"] = quick
    if quick:
        settings["overrides"] |= change["overrides"]
    if not shared.is_dir():
        raise InputError("the real radiographs are not there", shared, "lungs are trained and scored on them alone")
    work, shared = work.resolve(), shared.resolve()
    datalist, tests = make_lungs(settings, shared, work)
    sections = [data_sha256(load_datalist(datalist, s), masks=True) for s in ("training", "validation")]
    data_hash = hashlib.sha256("".join(sections).encode()).hexdigest()
    bundle = REPOSITORY / "bundles" / settings["bundle"]
    run = Run(
        "lungs",
        0,
        bundle,
        tuple(bundle / "configs" / c for c in settings["configs"]),
        settings["overrides"],
        work / "runs" / "lungs",
    )
    if train:
        train_all([run], 1, datalist, data_hash)
    if not score:
        return
    if not run.is_done(data_hash):
        raise InputError("the lung model is not trained yet", work, "run without --trained-only")
    record: Settings = {
        "experiment": "lungs",
        "quick": quick,
        "recipe": settings,
        "images": {s: len(load_datalist(datalist, s)) for s in ("training", "validation")},
        "trained_on": data_hash,
        "weights_sha256": weights_sha256(run.weights),
        "test_sha256": {name: data_sha256(items, masks=True) for name, items in tests.items()},
    }
    record["inputs_sha256"] = hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
    target = output / "lungs.json"
    if not target.exists() or json.loads(target.read_text()).get("inputs_sha256") != record["inputs_sha256"]:
        record["training_minutes"] = run.minutes()
        record["tests"] = {name: _figures(run, items) for name, items in tests.items()}
        write_json({**record, **provenance()}, target)
    if ship:
        folder = bundle / settings["ships"]
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("model.pt", "thresholds.json"):
            shutil.copyfile(run.folder / file, folder / file)


def _figures(run: Run, items: list[Settings]) -> Settings:
    """Dice and IoU at the originals' size, with intervals by patient group."""
    parser = ConfigParser()
    parser.read_config(run.config_files())
    parser["labels"] = [LUNGS]
    network = parser.get_parsed_content("network_def")
    load_weights(network, run.weights)
    thresholds = load_thresholds(run.folder / "thresholds.json", [LUNGS], run.weights)
    dataset = Dataset(items, parser.get_parsed_content("score#dataset#transform"))
    predictions = predict(network, dataset, [LUNGS])
    counts, _ = mask_tables(predictions, thresholds)["original"]
    tables = {"dice": image_dice(counts), "iou": image_iou(counts)}
    return {
        "n_images": len(items),
        "n_groups": len(set(predictions.patients)),
        **{name: bootstrap_ci(mean_of(table), predictions.patients).to_dict() for name, table in tables.items()},
    }
