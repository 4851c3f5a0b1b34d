"""The segmentation experiment: experts' masks, pseudo-masks, both, and all masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from monai.data import Dataset

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.evaluation import NetworkMaps, mask_tables, predict
from cxr_common.findings import Thresholds, load_map_thresholds
from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts, image_dice, image_iou
from cxr_common.metrics.statistics import hit_statistic, iou_statistic
from tools.phantom_sets import make_phantoms
from tools.results.data import Items
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet, first, mapped
from tools.results.localizers import PHANTOM_SKIP
from tools.results.plan import Runs
from tools.results.segmentation_masks import make_masks, refiner, step_counts
from tools.results.settings import Settings
from tools.trainings import Run

#: Figure -> counts -> statistic of image weights; the first is that of a claim that names none.
FIGURES: dict[str, Any] = {
    "iou of the data set": iou_statistic,
    "iou of images": lambda counts: hit_statistic(image_iou(counts)),
    "iou where present": lambda counts: hit_statistic(np.where(counts.true > 0, image_iou(counts), np.nan)),
    "dice where present": lambda counts: hit_statistic(image_dice(counts, present_only=True)),
}


class Segmentation(Experiment):
    """A segmenter that learns from masks of several origins."""

    prefix = "segment_"

    def make_data(self) -> Data:
        """Phantoms whose masks are experts' or stand in for them."""
        phantoms, *_ = make_phantoms(self.settings["phantoms"], self.work / "phantoms")
        self.relation = refiner(self.options, self.settings)
        made, self.cut = make_masks(self.settings, phantoms, self.work / "segmentation", self.relation)
        datalists = {name: made[method["masks"]] for name, method in self.methods.items()}
        images = {"validation": len(load_datalist(made["irn"], "validation"))}
        images |= {name: self.settings[name] for name in ("training", "experts")}
        return Data(datalists, {"phantoms": load_datalist(phantoms, "testing")}, True, images)

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """IoU and Dice of the segmenters, and of the steps before them; where heatmaps were cut."""
        items = self.data.tests["phantoms"]
        counts = mapped(done, lambda run: segmented(run, items, PHANTOM_SKIP))
        counts |= {name: {0: found} for name, found in step_counts(self.relation, items, self.cut).items()}
        test = mask_test(counts, [item_group(item) for item in items], self.settings["baseline"])
        return [test], {"thresholds of heatmaps": self.cut}


def maps_of(run: Run, items: Items, labels: Sequence[str] = LABELS) -> tuple[NetworkMaps, Thresholds]:
    """What a segmenter says of images, and its thresholds."""
    dataset = Dataset(items, run.config(labels).get_parsed_content("score#dataset#transform"))
    thresholds = load_map_thresholds(run.folder / "thresholds.json", list(labels), run.weights)
    return predict(run.network(labels), dataset, list(labels)), thresholds


def segmented(run: Run, items: Items, skip: str | None = None, labels: Sequence[str] = LABELS) -> MaskCounts:
    """Pixels of a network's masks on images, at their own size; one class can be left out."""
    counts, _ = mask_tables(*maps_of(run, items, labels))["original"]
    left_out = np.array([name == skip for name in labels])
    return counts.map(lambda table: np.where(left_out, np.nan, table))


def mask_test(counts: Mapping[str, Mapping[int, MaskCounts]], patients: list[str], baseline: str) -> ScoredSet:
    """Figures of every method, and the first of them class by class."""
    true = first(counts).true
    present = {name: int(np.nansum(true[:, c] > 0)) for c, name in enumerate(LABELS)}
    present = {name: count for name, count in present.items() if count}
    figures = [Figure(name, "macro", mapped(counts, make)) for name, make in FIGURES.items()]
    main, make = next(iter(FIGURES.items()))
    for name in present:
        column = [LABELS.index(name)]
        figures.append(Figure(main, name, mapped(counts, lambda one, column=column: make(one.of_classes(column)))))
    return ScoredSet("phantoms", patients, figures, baseline, present)
