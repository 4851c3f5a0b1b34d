"""Figures of the refinement experiment: masks of four methods on the same images, for every localiser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.data import CacheDataset
from torch.nn import functional as F

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.data.masks import load_masks, resize_mask
from cxr_common.evaluation import data_sha256
from cxr_common.findings import Walk
from cxr_common.findings.tuning import MASK_GRID, tune_probability_thresholds
from cxr_common.labels import LABELS
from cxr_common.metrics import (
    MaskCounts,
    bootstrap_ci,
    dataset_iou,
    hit_rates,
    image_iou,
    macro_average,
    mask_counts,
    paired_difference,
    threshold_counts,
)
from cxr_common.metrics.boundary import boundary_f_score
from cxr_common.metrics.mask_counts import PROBABILITY_GRID
from cxr_common.networks import weights_sha256
from cxr_common.refinement import Boundaries, CrfSettings, choose_steps, predict_boundaries, refine_labels
from cxr_common.refinement.pseudo_masks import STRIDE
from tools.results.data import make_ieee8023
from tools.results.record import write_once
from tools.results.runs import Run, minutes
from tools.results.score import PHANTOM_SKIP

Settings = dict[str, Any]
#: Thresholds every method chooses from, class by class, on the validation phantoms.
GRID = tuple(sorted({*MASK_GRID, *PROBABILITY_GRID} - {0.0}))
METHODS = {
    "heatmap": "thresholded heatmap",
    "crf": "the same, dense CRF",
    "smooth_wsmis": "WSMIS' walk without boundaries",
    "irn_wsmis": "WSMIS' walk, learnt boundaries",
    "smooth_chexseg": "CheXseg's walk without boundaries",
    "irn_chexseg": "CheXseg's walk, learnt boundaries",
    "smooth_tuned": "each class its own steps, without boundaries",
    "irn_tuned": "each class its own steps, learnt boundaries",
}
#: No step of a walk without boundaries: the heatmap on the network's grid.
STILL = Walk(steps=0)


@dataclass
class Masks:
    """Predicted masks of one method and seed, measured: (N, C) each, NaN where a class is not scored."""

    counts: MaskCounts
    boundary: np.ndarray

    def statistic(self, figure: str, index: int | None = None) -> Any:
        """ "image iou" or "boundary f" (mean over pairs), or "data set iou" (macro), of one class or all."""
        columns = slice(None) if index is None else [index]
        counts = MaskCounts(
            *(a[:, columns] for a in (self.counts.intersection, self.counts.predicted, self.counts.true))
        )
        if figure == "data set iou":
            return lambda w: macro_average(dataset_iou(counts, w))
        table = image_iou(counts) if figure == "image iou" else self.boundary[:, columns]
        return lambda w: hit_rates(table, w).micro


FIGURES = ("image iou", "data set iou", "boundary f")


class Images:
    """Images with their heatmaps and true masks, read once.

    Args:
        run: whose configs say how images and heatmaps are read.
        items: datalist items with absolute paths.
        skip: class that is not scored.
    """

    def __init__(self, run: Run, items: list[dict[str, Any]], skip: str | None = None) -> None:
        parser = run.config()
        self.items = [item for item in items if 1 in item["label"]]
        transform = parser.get_parsed_content("refine#dataset#transform")
        self.dataset = CacheDataset(self.items, transform, num_workers=1, progress=False)
        self.size = tuple(parser.get_parsed_content("spatial_size"))
        self.grey = float(parser["intensity_mean"]), float(parser["intensity_std"])
        self.truth = [self._truth(item, skip) for item in self.items]
        self.groups = [item_group(item) for item in self.items]

    def _truth(self, item: dict[str, Any], skip: str | None) -> list[np.ndarray | None]:
        """True masks at the network's resolution of the findings an image has; None for what is not scored."""
        width, height = item.get("size", self.size)
        out: list[np.ndarray | None] = []
        for name, value, mask in zip(
            LABELS, item["label"], load_masks(item, LABELS, (int(width), int(height))), strict=True
        ):
            scored = value == 1 and name != skip and mask is not None and mask.any()
            out.append(resize_mask(mask, self.size) if scored and mask is not None else None)
        return out

    def boundaries(self, network: Any = None) -> Boundaries:
        """What walks start from: the heatmaps, and the boundaries a network sees; None sees none."""
        return predict_boundaries(network, self.dataset, list(LABELS))

    def maps(self, boundaries: Boundaries, walk: Walk = STILL) -> np.ndarray:
        """(N, C, x, y) refined maps in [0, 1] on the grid of stride 4, 0 for findings an image does not have."""
        maps = torch.from_numpy(boundaries.refined(walk).maps).float().sigmoid().numpy()
        present = np.array([[value == 1 for value in item["label"]] for item in self.items])
        return np.asarray(maps * present[:, :, None, None], dtype=np.float32)

    def full(self, maps: np.ndarray, index: int) -> np.ndarray:
        """The maps (C, X, Y) of one image at the network's resolution."""
        one = torch.from_numpy(maps[index])[None]
        return np.asarray(F.interpolate(one, size=self.size, mode="bilinear", align_corners=False)[0])

    def tune(self, maps: np.ndarray) -> dict[str, float]:
        """The threshold of every class with the largest IoU of the data set."""
        counts = threshold_counts((self.full(maps, n) for n in range(len(maps))), self.truth, GRID)
        return tune_probability_thresholds(counts, LABELS, GRID)

    def score(self, maps: np.ndarray, thresholds: dict[str, float]) -> Masks:
        """Measure the masks above the thresholds."""
        counts, boundary = [], np.full((len(maps), len(LABELS)), np.nan)
        for n, truth in enumerate(self.truth):
            masks = [heat > thresholds[name] for heat, name in zip(self.full(maps, n), LABELS, strict=True)]
            counts.append(mask_counts([masks], [truth]))
            for c, true in enumerate(truth):
                if true is not None:
                    boundary[n, c] = boundary_f_score(masks[c], true)
        return Masks(MaskCounts.concatenate(counts), boundary)

    def crf(self, maps: np.ndarray, thresholds: dict[str, float]) -> np.ndarray:
        """Masks above the thresholds after the dense CRF, as maps of 0 and 1."""
        out = np.zeros_like(maps)
        settings = CrfSettings().at_stride(STRIDE)
        for n in range(len(maps)):
            image = torch.as_tensor(self.dataset[n]["image"]).float() * self.grey[1] + self.grey[0]
            small = 255 * F.interpolate(image[None], size=maps.shape[-2:], mode="area").clamp(0, 1)
            for c, name in enumerate(LABELS):
                inside = torch.from_numpy(maps[n, c] > thresholds[name])[None].long()
                if inside.any():
                    out[n, c] = refine_labels(inside, 2, small, settings=settings)[0].float().numpy()
        return out


def score_localizer(
    runs: list[Run], develop: list, tests: dict[str, tuple[list, str | None]], walks: Settings
) -> Settings:
    """All methods on one localiser's heatmaps, thresholds chosen on the development items."""
    tuning = Images(runs[0], develop)
    images = {name: Images(runs[0], items, skip) for name, (items, skip) in tests.items()}
    masks: dict[str, dict[str, list[Masks]]] = {name: {} for name in images}
    thresholds: Settings = {}
    steps: Settings = {}

    def measure(method: str, chosen: dict[str, float], maps: dict[str, np.ndarray]) -> None:
        thresholds.setdefault(method, []).append(chosen)
        for name, test in images.items():
            masks[name].setdefault(method, []).append(test.score(maps[name], chosen))

    for kind, networks in (("smooth", [None]), ("irn", [run.network() for run in runs])):
        for network in networks:
            own, seen = tuning.boundaries(network), {name: test.boundaries(network) for name, test in images.items()}
            if kind == "smooth":
                chosen = tuning.tune(tuning.maps(own))
                still = {name: test.maps(seen[name]) for name, test in images.items()}
                measure("heatmap", chosen, still)
                for name, test in images.items():
                    masks[name]["crf"] = [test.score(test.crf(still[name], chosen), dict.fromkeys(LABELS, 0.5))]
            for name, settings in walks.items():
                method, walk = f"{kind}_{name}", walk_of(settings, own)
                if isinstance(walk.steps, Mapping):
                    steps.setdefault(method, []).append(dict(walk.steps))
                maps = {test: images[test].maps(seen[test], walk) for test in images}
                measure(method, tuning.tune(tuning.maps(own, walk)), maps)
    found = {name: report(masks[name], test.groups) for name, test in images.items()}
    return {"thresholds": thresholds, "steps": steps, **found}


def walk_of(settings: Settings, boundaries: Boundaries) -> Walk:
    """A random walk; where several numbers of steps are given, the best of them for every class on these images."""
    if not isinstance(settings["steps"], list):
        return Walk(**settings)
    return choose_steps(boundaries, Walk(**{**settings, "steps": 0}), settings["steps"])


def report(methods: dict[str, list[Masks]], groups: list[str]) -> Settings:
    """Figures of every method with intervals, and what each adds to the thresholded heatmap."""

    def compare(figure: str, c: int | None = None) -> Settings:
        own = {name: [m.statistic(figure, c) for m in seeds] for name, seeds in methods.items()}
        values = {name: bootstrap_ci(s, groups).to_dict() for name, s in own.items()}
        more = {n: paired_difference(s, own["heatmap"], groups).to_dict() for n, s in own.items() if n != "heatmap"}
        return {"values": values, "difference to heatmap": more}

    true = methods["heatmap"][0].counts.true
    scored = np.isfinite(true).sum(0)
    return {
        "n_images": int(np.isfinite(true).any(1).sum()),
        "n_pairs": int(scored.sum()),
        "pairs": {name: int(scored[c]) for c, name in enumerate(LABELS) if scored[c]},
        "figures": {figure: compare(figure) for figure in FIGURES},
        "per_class": {name: compare("data set iou", c) for c, name in enumerate(LABELS) if scored[c]},
    }


def score_refinement(
    settings: Settings, runs: dict[str, list[Run]], datalist: Path, phantoms: Path, shared: Path, output: Path
) -> None:
    """Score what is trained and write ``output/refinement.json``, unless it is of the same inputs already."""
    develop = [item for item in load_datalist(datalist, "validation") if item["source"] == "phantom"]
    tests: dict[str, tuple[list, str | None]] = {"phantoms": (load_datalist(phantoms, "testing"), PHANTOM_SKIP)}
    if shared.is_dir():
        tests["ieee8023"] = (make_ieee8023(shared, datalist.parent), None)
    inputs: Settings = {
        "experiment": "refinement",
        "quick": settings["quick"],
        "recipe": settings,
        "weights_sha256": {run.name: weights_sha256(run.weights) for seeds in runs.values() for run in seeds},
        "missing": [name for name in settings["localizers"] if name not in runs],
        "trained_on": data_sha256(load_datalist(datalist, "training")),
        "test_sha256": {name: data_sha256(items, masks=True) for name, (items, _) in tests.items()},
    }

    def score() -> Settings:
        return {
            "training_minutes": minutes(runs),
            "localizers": {n: score_localizer(seeds, develop, tests, settings["walks"]) for n, seeds in runs.items()},
        }

    write_once(inputs, output / "refinement.json", score)
