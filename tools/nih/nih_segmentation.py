"""Segmenters that learn from pseudo-masks of NIH's images, from drawn masks of ieee8023, and from both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from monai.data import Dataset

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.evaluation import data_sha256, mask_tables
from cxr_common.labels import LABELS
from cxr_common.metrics import MaskCounts, image_dice, image_iou
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.statistics import hit_statistic, iou_statistic
from cxr_common.networks import weights_sha256
from cxr_common.refinement.refined_masks import Images, Masks
from tools.nih.kept_masks import pack_masks, unpack_masks
from tools.nih.nih import boxed_images
from tools.nih.nih_refinement import DRAWN, NihRefinement, boxed_test, chosen_by, make_positives, positives
from tools.nih.tuning import shipping, tune_shipped
from tools.results.data import Items, prepare, write_items
from tools.results.experiment import Data
from tools.results.figures import Figure, ScoredSet
from tools.results.outcomes import Arrays, KeptExperiment, Outcome, arrays_of, read_kept
from tools.results.plan import Runs
from tools.results.refinement import weights_of
from tools.results.segmentation import maps_of
from tools.results.segmentation_masks import UNREAD, make_pseudo_masks, refiner
from tools.results.settings import Settings
from tools.trainings import Run

OPACITY = LABELS.index("Opacity")
#: Figures beside drawn masks; the first is that of a claim that names none.
DRAWN_FIGURES = ("iou of images", "iou of the data set", "dice", "hit rate")


@dataclass(frozen=True)
class DrawnMasks:
    """Masks beside drawn ones: pixel counts (N, C), and whether the map's largest pixel lies in the drawn mask (N, C).

    NaN where an image or a class is not scored.
    """

    counts: MaskCounts
    hits: np.ndarray

    def statistic(self, figure: str, of: str = "all") -> Statistic:
        """One of :data:`DRAWN_FIGURES`; only Opacity has drawn masks."""
        if figure == "iou of the data set":
            return iou_statistic(self.counts.of_classes([OPACITY]))
        tables = {"iou of images": image_iou, "dice": image_dice}
        return hit_statistic(tables[figure](self.counts) if figure in tables else self.hits)

    def pack(self) -> np.ndarray:
        """Everything, (4, N, C)."""
        return np.stack([self.counts.intersection, self.counts.predicted, self.counts.true, self.hits])

    @classmethod
    def unpack(cls, tables: np.ndarray) -> DrawnMasks:
        """The same, read again."""
        return cls(MaskCounts(*tables[:3]), tables[3])

    @classmethod
    def joined(cls, folds: Sequence[DrawnMasks]) -> DrawnMasks:
        """What the networks of all folds did, each on its own images."""
        tables = [fold.pack() for fold in folds]
        joined = tables[0]
        for table in tables[1:]:
            joined = np.where(np.isnan(joined), table, joined)
        return cls.unpack(joined)


@dataclass(frozen=True)
class SegmentedOutcome(Outcome):
    """What one segmenter did.

    Attributes:
        drawn: beside drawn masks, of its own fold where it learned from others.
        boxes: beside official boxes; None of one that learned from drawn masks, which show opacities alone.
    """

    drawn: DrawnMasks
    boxes: Masks | None


class NihSegmentation(KeptExperiment[SegmentedOutcome, np.ndarray]):
    """A segmenter for each origin of masks, and for each fold of the drawn ones."""

    needs = "this experiment learns from NIH's images and is scored on them"
    radiographs = "nih"
    home = "nih_segmentation"
    shares = ("nih", "simulated")
    prefix = "nih_segment_"

    def run(self) -> None:
        """Do what the options say; the decisions of what ships are tuned on NIH's validation images, by their labels.

        Simulated findings choose where masks end. Each of their images has one, so they say nothing of normal images.
        """
        super().run()
        if self.options.ship:
            items = load_datalist(self.nih, "validation", self.options.shared)
            tune_shipped(shipping(self.runs, self.methods, self.prefix), items, self.work / self.home / "tuned")

    def plan_methods(self) -> Settings:
        """The methods, those with folds once for each fold."""
        return {name: method for name, method, _ in each_fold(self.settings)}

    def make_data(self) -> Data:
        """Pseudo-masks of NIH's images with experts' masks of the other folds; drawn masks and official boxes."""
        settings, work, shared = self.settings, self.work, self.options.shared
        self.nih = prepare(settings["nih"]["mapping"], shared, work / "nih14.json")
        opacities = prepare("shared_cxr_opacity", DRAWN, work / "ieee8023.json")
        self.drawn = load_datalist(opacities, "testing", DRAWN, LABELS)
        self.folds = folds_of(self.drawn, settings["folds"])
        weak = self.weak()
        localizer, network = (weights_sha256(weights_of(settings[key])) for key in ("localizer", "bundle_of_masks"))
        made_by = {"heatmap": [localizer], "irn": [localizer, network]}  # the weights that masks depend on
        key = [data_sha256(weak), chosen_by(settings, self.nih, shared)]
        datalists, hashes = {}, {}
        for name, method, fold in each_fold(settings):
            datalists[name] = work / self.home / f"{name}.json"
            own = [data_sha256(items, masks=True) for items in split_folds(self.drawn, self.folds, fold)]
            of_masks = [*key, *made_by[method["masks"]], method["masks"], *own]
            hashes[name] = hashlib.sha256(json.dumps(of_masks).encode()).hexdigest()
        boxed = [i for i in boxed_images(self.nih, shared)[: settings.get("testing")] if 1 in i["label"]]
        images = {"training": len(weak), "validation": settings["validation"]}
        return Data(datalists, {"ieee8023": self.drawn, "boxes": boxed}, True, images, hashes)

    def weak(self) -> Items:
        """NIH's images that get pseudo-masks, those without a finding among them."""
        shared = self.options.shared
        absent = absent_images(load_datalist(self.nih, "training", shared), self.settings)
        return [*positives(self.settings, self.nih, shared), *absent]

    def before_training(self) -> None:
        """Make pseudo-masks and simulated findings, which takes long; kept outcomes do without."""
        settings, folder = self.settings, self.work / self.home
        simulated = load_datalist(make_positives(settings, self.nih, self.options.shared, self.work), "validation")
        run = refiner(self.options, settings, NihRefinement)
        pseudo, _ = make_pseudo_masks(settings["localizer"], self.weak(), simulated, folder, run)
        for name, method, fold in each_fold(settings):
            experts, chosen = split_folds(self.drawn, self.folds, fold)
            sections = {"training": experts + pseudo[method["masks"]], "validation": chosen or simulated}
            write_items(folder / f"{name}.json", sections, UNREAD)

    def predict(self, run: Run, made_with: Settings, test: str) -> np.ndarray:
        """Tables of one network's masks; empty where it is not scored."""
        items, fold = self.data.tests[test], fold_of(self.settings, run.method.removeprefix(self.prefix))
        if test == "boxes":
            return np.zeros(0) if fold is not None else pack_masks(masks_beside_boxes(run, items))
        own = np.ones(len(items), bool) if fold is None else self.folds == fold
        table = np.full((4, len(items), len(LABELS)), np.nan)
        table[:, own] = masks_beside_drawn(run, [item for item, there in zip(items, own, strict=True) if there]).pack()
        return table

    def pack(self, found: Mapping[str, np.ndarray]) -> Arrays:
        """The tables."""
        return {f"{test}/masks": tables.astype(np.float32) for test, tables in found.items()}

    def unpack(self, about: dict[str, Any], arrays: Arrays) -> SegmentedOutcome:
        """The same, read again."""
        drawn, boxes = (arrays_of(arrays, test)["masks"] for test in ("ieee8023", "boxes"))
        return SegmentedOutcome(
            about, DrawnMasks.unpack(drawn.astype(float)), unpack_masks(boxes) if boxes.size else None
        )

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Drawn masks of all folds together; official boxes, beside the steps before the segmenter."""
        drawn: dict[str, dict[int, DrawnMasks]] = {}
        boxes: dict[str, dict[int, Masks]] = {f"{way}_step": {0: one} for way, one in self.steps().items()}
        for method, settings in self.settings["methods"].items():
            names = [name for name, _, _ in each_fold({**self.settings, "methods": {method: settings}})]
            for seed in settings["seeds"]:
                outcomes = [self.measured[name][seed] for name in names if seed in self.measured.get(name, {})]
                if len(outcomes) == len(names):
                    drawn.setdefault(method, {})[seed] = DrawnMasks.joined([one.drawn for one in outcomes])
                    if len(names) == 1 and outcomes[0].boxes is not None:
                        boxes.setdefault(method, {})[seed] = outcomes[0].boxes
        baseline, tests = self.settings["baseline"], []
        if drawn:
            groups = [item_group(item) for item in self.data.tests["ieee8023"]]
            figures = [Figure.measured(drawn, name, "all") for name in DRAWN_FIGURES]
            tests.append(ScoredSet("ieee8023", groups, figures, baseline["ieee8023"], {"Opacity": len(groups)}))
        if boxes:
            groups = [item_group(item) for item in self.data.tests["boxes"]]
            tests.append(boxed_test("boxes", boxes, groups, baseline["boxes"]))
        return tests, {}

    def steps(self) -> dict[str, Masks]:
        """Way -> masks before the segmenter, if the refinement experiment has kept an outcome of the same images."""
        steps = self.settings["steps"]
        kept = read_kept(self.options.output / "outcomes" / NihRefinement.home / f"{steps['run']}.npz")
        if kept is None or kept[0]["made_with"]["test_sha256"]["boxes"] != self.test_sha256["boxes"]:
            return {}
        arrays = arrays_of(kept[1], "boxes")
        return {way: unpack_masks(arrays[way]) for way in steps["ways"]}


def each_fold(settings: Settings) -> Iterator[tuple[str, Settings, int | None]]:
    """Each training's name, its method's settings, and its fold, if the method has folds."""
    for name, method in settings["methods"].items():
        if method.get("folds"):
            for fold in range(settings["folds"]):
                yield f"{name}_{fold}", method, fold
        else:
            yield name, method, None


def fold_of(settings: Settings, name: str) -> int | None:
    """The fold of a training, if it has one."""
    return next(fold for one, _, fold in each_fold(settings) if one == name)


def folds_of(items: Items, folds: int) -> np.ndarray:
    """(N,) fold of each image: groups in a fixed random order, about as many in each fold."""
    groups = sorted({item_group(item) for item in items}, key=lambda group: hashlib.sha256(group.encode()).digest())
    fold = {group: place % folds for place, group in enumerate(groups)}
    return np.array([fold[item_group(item)] for item in items])


def split_folds(items: Items, folds: np.ndarray, scored: int | None) -> tuple[Items, Items]:
    """Images to learn from and to choose by: one fold is scored, the next one chooses. None of them without a fold."""
    if scored is None:
        return [], []
    chooses = (scored + 1) % (folds.max() + 1)
    own = [{**item, "mask_origin": "expert"} for item in items]
    parts = (folds != scored) & (folds != chooses), folds == chooses
    learned, chosen = ([item for item, there in zip(own, part, strict=True) if there] for part in parts)
    return learned, chosen


def absent_images(items: Items, settings: Settings) -> Items:
    """Images without any finding, drawn at random: their pseudo-masks are empty."""
    found = [item for item in items if item["label"] == [0] * len(LABELS)]
    drawn = np.random.default_rng(1).permutation(len(found))[: settings["absent"]]
    return [found[place] for place in drawn]


def masks_beside_drawn(run: Run, items: Items) -> DrawnMasks:
    """Masks of the findings that images are said to have, beside drawn masks at the originals' size."""
    maps, thresholds = maps_of(run, items)
    told = replace(thresholds, decision=dict.fromkeys(LABELS, 0.0))
    return DrawnMasks(*mask_tables(maps, told)["original"])


def masks_beside_boxes(run: Run, items: Items) -> Masks:
    """Masks of the findings that images are said to have, beside official boxes."""
    maps, thresholds = maps_of(run, items)
    images = Images(Dataset(items), list(LABELS), (0.0, 1.0), truth="boxes")
    return images.score(maps, thresholds.mask)
