"""Masks that stand in for experts' in the segmentation experiment: heatmaps cut at thresholds, and refined ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.evaluation import data_sha256
from cxr_common.files import file_sha256, write_json
from cxr_common.findings import load_map_thresholds
from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from tools.pipeline.stage import Stage
from tools.repository import BUNDLES
from tools.results.options import Options
from tools.results.refinement import DATA
from tools.results.refinement import plan as plan_refinement
from tools.results.refinement_score import Images
from tools.results.runs import Run, shipped
from tools.results.score import PHANTOM_SKIP
from tools.results.settings import load_experiment

REFINEMENT = "cxr_irn_refinement"
Settings = dict[str, Any]
#: What images without an expert's mask have: cut heatmaps, refined ones, or experts' masks too.
KINDS = ("heatmap", "irn", "all")
#: Keys of an item that no segmenter reads.
UNREAD = ("heatmap", "boxes", "box_labels")


def refiner(options: Options, settings: Settings) -> Run:
    """The relation network's training on the heatmaps of this experiment's localiser; what it needs not be trained."""
    refinement = load_experiment(options.experiment.with_name(settings["refinement"]), options.quick, DATA)
    name = next(n for n, part in refinement["localizers"].items() if part["bundle"] == settings["localizer"])
    return plan_refinement(refinement, options.work)[name][0]


def make_masks(settings: Settings, phantoms: Path, folder: Path, run: Run) -> dict[str, Path]:
    """Datalists that differ in what stands in for masks on images without an expert's.

    Args:
        settings: of the experiment.
        phantoms: the phantoms' datalist.
        folder: for heatmaps, pseudo-masks and datalists.
        run: of :func:`refiner`.

    Returns:
        Each of :data:`KINDS` -> datalist. Paths in it are relative to `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    training = load_datalist(phantoms, "training")[: settings["training"]]
    validation = load_datalist(phantoms, "validation")[: settings["validation"]]
    positive = [item["image"] for item in training if 1 in item["label"]]
    experts = set(positive[: settings["experts"]])
    weak = [
        {key: item[key] for key in ("image", "patient", "label")} for item in training if item["image"] not in experts
    ]
    listed = folder / "weak.json"
    write_datalist(
        {
            "labels": list(LABELS),
            "training": [relative_item(item, folder, UNREAD) for item in weak],
        },
        listed,
    )

    data = data_sha256(load_datalist(listed, "training"))
    models = {name: _model_hash(name) for name in (settings["localizer"], REFINEMENT)}
    where = {"dataset_dir": str(folder)}
    listing = f"$cxr_common.data.images_of({str(listed)!r}, 'training')"
    heat = Stage(
        "heatmaps",
        settings["localizer"],
        ("inference.json",),
        {**where, "dataset#data": listing},
        folder / "heatmaps",
        {"data": data, "model": models[settings["localizer"]]},
    )
    heat.run()
    refined = Stage(
        "pseudo-masks",
        REFINEMENT,
        ("inference.json",),
        {**where, "datalist": str(listed), "heatmap_dir": str(heat.output)},
        folder / "irn",
        {**heat.inputs, "refinement": models[REFINEMENT]},
    )
    refined.run()

    cut = folder / "cut.json"
    inputs = {**heat.inputs, "validation": data_sha256(validation, masks=True)}
    if not cut.exists() or json.loads(cut.read_text())["inputs"] != inputs:
        thresholds = cut_thresholds(run, validation)
        cut_heatmaps(run, load_datalist(listed, "training"), thresholds, folder / "cut")
        write_json({"inputs": inputs, "thresholds": thresholds}, cut)  # last: it says that the masks are these
    others = {
        "heatmap": load_datalist(folder / "cut" / "datalist.json", "training"),
        "irn": load_datalist(refined.output / "datalist.json", "training"),
        "all": [{**item, "mask_origin": "expert"} for item in training if item["image"] not in experts],
    }
    own = [{**item, "mask_origin": "expert"} for item in training if item["image"] in experts]
    out = {}
    for kind, items in others.items():
        sections = {"training": own + items, "validation": validation}
        content = {name: [relative_item(item, folder, UNREAD) for item in rows] for name, rows in sections.items()}
        out[kind] = folder / f"{kind}.json"
        write_datalist({"labels": list(LABELS), **content}, out[kind])
    return out


def _model_hash(bundle: str) -> str:
    """Hash of a bundle's weights and thresholds."""
    models = BUNDLES / bundle / "models"
    return "".join(file_sha256(models / name) for name in ("model.pt", "thresholds.json"))


def cut_thresholds(run: Run, validation: list[Settings]) -> dict[str, float]:
    """Where to cut heatmaps for the largest IoU with the validation masks, as refined maps are cut; class by class."""
    develop = Images(run, validation)
    return develop.tune(develop.maps(develop.boundaries()))


def cut_heatmaps(run: Run, items: list[Settings], thresholds: dict[str, float], folder: Path) -> None:
    """Write masks of heatmaps cut at thresholds, for the findings images are said to have, and their datalist."""
    images = Images(run, items)
    maps = images.maps(images.boundaries())
    masks: dict[str, dict[str, str]] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for n, item in enumerate(images.items):
        full, own = images.full(maps, n), masks.setdefault(item["image"], {})
        for c, name in enumerate(LABELS):
            if item["label"][c] == 1:
                path = folder / f"{Path(item['image']).stem}_{name}.png"
                Image.fromarray(255 * (full[c] > thresholds[name]).T.astype(np.uint8)).save(path)
                own[name] = str(path)
    rows = []
    for item in items:
        absent = {name: None for name, value in zip(LABELS, item["label"], strict=True) if value == 0}
        rows.append({**item, "mask": {**absent, **masks.get(item["image"], {})}, "mask_origin": "pseudo"})
    write_datalist(
        {
            "labels": list(LABELS),
            "training": [relative_item(row, folder, UNREAD) for row in rows],
        },
        folder / "datalist.json",
    )


def step_counts(run: Run, tests: list[Settings], thresholds: dict[str, float]) -> dict[str, MaskCounts]:
    """WSMIS' first two steps on the test images: heatmaps cut at thresholds, and the shipped relation network's masks.

    Both are told which findings an image has, and only images with one are measured.
    """
    images = Images(run, tests, PHANTOM_SKIP)
    [held] = shipped(run)
    own = load_map_thresholds(held.folder / "thresholds.json", LABELS, held.weights)
    refined = images.maps(images.boundaries(held.network()), own.walk_with())
    found = {
        "heatmap_masks": images.score(images.maps(images.boundaries()), thresholds).counts,
        "irn_masks": images.score(refined, dict(own.mask)).counts,
    }
    place = np.array([1 in item["label"] for item in tests])

    def everywhere(table: np.ndarray) -> np.ndarray:
        out = np.full((len(tests), len(LABELS)), np.nan)
        out[place] = table
        return out

    return {
        name: MaskCounts(*(everywhere(getattr(counts, n)) for n in ("intersection", "predicted", "true")))
        for name, counts in found.items()
    }
