"""Masks that stand in for experts' in the segmentation experiment: heatmaps cut at thresholds, and refined ones."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from cxr_common.data import load_datalist
from cxr_common.evaluation import data_sha256
from cxr_common.files import write_json
from cxr_common.findings import load_map_thresholds
from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts
from cxr_common.refinement.refined_masks import STILL, tune, write_masks
from cxr_tools.pipeline.shipped import heatmap_stage, pseudo_mask_stage
from tools.results.data import Items, write_items
from tools.results.experiment import Experiment
from tools.results.localizers import PHANTOM_SKIP
from tools.results.plan import plan_runs, shipped
from tools.results.refinement import Refinement, plan_localizers, read_images
from tools.results.settings import Options, Settings, load_settings
from tools.trainings import Run

#: What images without an expert's mask have: cut heatmaps, refined ones, or experts' masks too.
KINDS = ("heatmap", "irn", "all")
#: Keys of an item that no segmenter reads.
UNREAD = ("heatmap", "boxes", "box_labels")


def refiner(options: Options, settings: Settings, part: type[Experiment] = Refinement) -> Run:
    """A training of the relation network on this experiment's heatmaps, by the recipe of the one that ships.

    It reads images and holds the shipped weights; it needs not be trained.
    """
    file = options.experiment.parent / settings["refinement"]
    refinement = load_settings(file, options.quick, part.shares)
    methods = {n: m for n, m in plan_localizers(refinement).items() if m["localizer"] == settings["localizer"]}
    refinement["configs"] = settings["relation_network"]
    return plan_runs(refinement, options.work / part.home, methods, part.prefix)[0]


def make_masks(settings: Settings, phantoms: Path, folder: Path, run: Run) -> tuple[dict[str, Path], dict[str, float]]:
    """Datalists that differ in what stands in for masks on images without an expert's.

    Args:
        settings: of the experiment.
        phantoms: the phantoms' datalist.
        folder: for heatmaps, pseudo-masks and datalists.
        run: of :func:`refiner`.

    Returns:
        Each of :data:`KINDS` -> datalist, whose paths are relative to `folder`; class -> where its heatmaps are cut.
    """
    training = load_datalist(phantoms, "training")[: settings["training"]]
    validation = load_datalist(phantoms, "validation")[: settings["validation"]]
    positive = [item["image"] for item in training if 1 in item["label"]]
    experts = set(positive[: settings["experts"]])
    rest = [item for item in training if item["image"] not in experts]
    others, cut = make_pseudo_masks(settings["localizer"], rest, validation, folder, run)
    others["all"] = [{**item, "mask_origin": "expert"} for item in rest]
    own = [{**item, "mask_origin": "expert"} for item in training if item["image"] in experts]
    datalists = {
        kind: write_items(folder / f"{kind}.json", {"training": own + items, "validation": validation}, UNREAD)
        for kind, items in others.items()
    }
    return datalists, cut


def make_pseudo_masks(
    localizer: str, weak: Items, validation: Items, folder: Path, run: Run
) -> tuple[dict[str, Items], dict[str, float]]:
    """Give images masks in two ways: heatmaps cut at thresholds ("heatmap"), and the shipped relation network ("irn").

    Args:
        localizer: bundle that makes the heatmaps.
        weak: images with labels.
        validation: images with masks, which choose where heatmaps are cut.
        folder: for heatmaps and masks.
        run: of :func:`refiner`.

    Returns:
        Way -> the images with their masks; class -> where its heatmaps are cut.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = [{key: item[key] for key in ("image", "patient", "label")} for item in weak]
    listed = write_items(folder / "weak.json", {"training": known}, UNREAD)
    heat = heatmap_stage(localizer, listed, folder / "heatmaps")
    refined = pseudo_mask_stage(heat, listed, folder / "irn")
    heat.run()
    refined.run()

    cut, inputs = folder / "cut.json", {**heat.inputs, "validation": data_sha256(validation, masks=True)}
    done = json.loads(cut.read_text(encoding="utf-8")) if cut.exists() else {}
    if done.get("inputs") != inputs:
        done = {"inputs": inputs, "thresholds": tune(read_images(run, validation).boundaries().refined(STILL))}
        cut_heatmaps(run, load_datalist(listed, "training"), done["thresholds"], folder / "cut")
        write_json(done, cut)  # last: it says that the masks are these
    made = {"heatmap": folder / "cut" / "datalist.json", "irn": refined.output / "datalist.json"}
    return {way: load_datalist(path, "training") for way, path in made.items()}, done["thresholds"]


def cut_heatmaps(run: Run, items: Items, thresholds: Mapping[str, float], folder: Path) -> None:
    """Write masks of heatmaps cut at thresholds, for the findings images are said to have, and their datalist."""
    sizes = {item["image"]: Image.open(item["image"]).size for item in items}
    masks = write_masks(read_images(run, items).boundaries().refined(STILL), thresholds, folder, sizes)
    rows = []
    for item in items:
        absent = {name: None for name, value in zip(LABELS, item["label"], strict=True) if value == 0}
        rows.append({**item, "mask": {**absent, **masks.get(item["image"], {})}, "mask_origin": "pseudo"})
    write_items(folder / "datalist.json", {"training": rows}, UNREAD)


def step_counts(run: Run, tests: Items, thresholds: Mapping[str, float]) -> dict[str, MaskCounts]:
    """WSMIS' first two steps on the test images: heatmaps cut at thresholds, and the shipped relation network's masks.

    Both are told which findings an image has, and only images with one are measured.
    """
    images, place = read_images(run, tests, PHANTOM_SKIP), np.array([1 in item["label"] for item in tests])
    [held] = shipped(run)
    own = load_map_thresholds(held.folder / "thresholds.json", list(LABELS), held.weights)
    refined = images.boundaries(held.network()).refined(own.walk_with())
    found = {
        "heatmap_masks": images.score(images.boundaries().refined(STILL), thresholds).counts,
        "irn_masks": images.score(refined, own.mask).counts,
    }

    def everywhere(table: np.ndarray) -> np.ndarray:
        out = np.full((len(tests), len(LABELS)), np.nan)
        out[place] = table
        return out

    return {name: counts.map(everywhere) for name, counts in found.items()}
