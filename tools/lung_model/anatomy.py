"""Lungs and heart by one segmenter, and the cardiothoracic ratio."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.data.masks import load_masks
from cxr_common.metrics import MaskCounts, cardiothoracic_ratio
from cxr_common.metrics.statistics import hit_statistic
from cxr_common.segmentation.transforms import HEART, LUNGS
from tools.lung_model.hard_images import draw_outlines, hard_images
from tools.lung_model.lungs import FIGURES, SIDES, joined, lung_rows, make_lungs
from tools.phantom_sets import make_phantoms
from tools.repository import BUNDLES
from tools.results.data import Items, write_items
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet, mapped
from tools.results.plan import Runs
from tools.results.segmentation import maps_of, segmented
from tools.results.settings import Settings
from tools.trainings import Run

CLASSES = (LUNGS, HEART)
#: What a radiologist outlined of the heart: with the mediastinum, whose widest part it is.
OUTLINED = "Cardiomediastinum"


class Anatomy(Experiment):
    """One training, beside the lung model that ships."""

    needs = "lungs are learned from them"
    home = "anatomy"
    shares = ("mapping", "fractions", "seed")

    def make_data(self) -> Data:
        """Open images and phantoms to learn from; the lung model's test sets, phantoms, and outlined hearts."""
        settings, work = self.settings, self.work / self.home
        (phantoms,) = make_phantoms(settings["phantoms"], work / "phantoms")
        lungs, tests = make_lungs(settings, self.options.shared, work)
        datalist = join_sources(lungs, phantoms, work / "anatomy.json")
        tests = {name: [both_classes(item) for item in items] for name, items in tests.items()}
        tests["phantoms"] = load_datalist(phantoms, "testing")
        tests["hearts"] = outlined_hearts(settings, self.options.shared, work)
        found = {section: load_datalist(datalist, section) for section in ("training", "validation")}
        images = {
            f"{section}_{source}": sum((i.get("source") == "phantom") == (source == "phantom") for i in items)
            for section, items in found.items()
            for source in ("real", "phantom")
        }
        return Data({"anatomy": datalist}, tests, True, images)

    def draw(self, file: str, record: Settings) -> None:
        """What it outlines on hard images; the picture stays in the work folder, for it shows patients' images."""
        tests = self.data.tests
        for run in self.trained().get("anatomy", {}).values():
            images = hard_images(self.options.shared, tests["hearts"], tests["open"], self.work / self.home)
            hard = [both_classes(item) for item in images]
            draw_outlines(*maps_of(run, hard, CLASSES), self.work / "anatomy-gallery.png")

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Dice and IoU of lungs, of hearts on phantoms; errors of the cardiothoracic ratio."""
        held = {"lungs": {0: lung_model()}}
        tests = []
        for name, items in self.data.tests.items():
            groups = [item_group(item) for item in items]
            if name == "hearts":
                tests.append(ratio_test(name, mapped(done, lambda run, items=items: ratios(run, items)), items))
                continue
            counts = mapped(done, lambda run, items=items: segmented(run, items, labels=CLASSES))
            lungs = {method: {s: one.of_classes([0]) for s, one in seeds.items()} for method, seeds in counts.items()}
            lungs |= mapped(held, lambda run, items=items: segmented(run, lungs_only(items), labels=[LUNGS]))
            figures = lung_figures(lungs, "lungs")
            if name == "phantoms":
                figures += lung_figures(mapped(counts, lambda one: one.of_classes([1])), "heart")
                figures += ratio_test(name, mapped(done, lambda run, items=items: ratios(run, items)), items).figures
            tests.append(ScoredSet(name, groups, figures, self.settings["baseline"]))
        return tests, {}


def lung_model() -> Run:
    """The lung model as the segmenter's bundle holds it."""
    bundle = BUNDLES / "cxr_chexseg_segmentation"
    configs = tuple(bundle / "configs" / name for name in ("train.yaml", "from_classifier.yaml"))
    return Run("lungs", 0, bundle, configs, {}, bundle / "models" / "lungs")


def join_sources(lungs: Path, phantoms: Path, output: Path) -> Path:
    """One datalist of real lungs and of phantoms' lungs and hearts; returns it."""
    sections = {}
    for section in ("training", "validation"):
        real = [both_classes(item) for item in load_datalist(lungs, section)]
        made = [{**item, "mask_origin": "pseudo"} for item in load_datalist(phantoms, section)]
        sections[section] = real + made
    return write_items(output, sections, labels=CLASSES)


def both_classes(item: Settings) -> Settings:
    """An item whose lungs alone are known, among items of which hearts are known too."""
    return {**item, "label": [1, None]}


def lungs_only(items: Items) -> Items:
    """Items of which the lungs alone are known."""
    return [{**item, "label": [1], "mask": {LUNGS: item["mask"][LUNGS]}} for item in items]


def outlined_hearts(settings: Settings, shared: Path, work: Path) -> Items:
    """Images on which a radiologist outlined both lungs, and the heart with the mediastinum."""
    classes = ("--set", f"labels.{OUTLINED}=null", "--set", f"masks.classes.cardiomediastinum={OUTLINED}")
    rows = lung_rows(settings, shared, work / "hearts_all.json", *classes)
    drawn = [item for item in rows if all(item["mask"].get(name) for name in (OUTLINED, *SIDES))]
    masks = [{LUNGS: joined(item, work / "hearts_lungs"), HEART: item["mask"][OUTLINED]} for item in drawn]
    return [{**item, "label": [1, 1], "mask": mask} for item, mask in zip(drawn, masks, strict=True)]


def lung_figures(counts: Mapping[str, Mapping[int, MaskCounts]], of: str) -> list[Figure]:
    """Dice and IoU of one class."""
    return [Figure(name, of, mapped(counts, make)) for name, make in FIGURES.items()]


def ratios(run: Run, items: Items) -> np.ndarray:
    """(N, 2): cardiothoracic ratios of predicted masks, at the network's resolution, and of true ones."""
    predictions, thresholds = maps_of(run, items, CLASSES)
    found = np.empty((len(items), 2))
    for n, maps in enumerate(predictions.each_heatmap()):
        lungs, heart = (np.asarray(heat) > thresholds.mask[name] for name, heat in zip(CLASSES, maps, strict=True))
        width, height = predictions.sizes[n]
        true_lungs, true_heart = load_masks(items[n], CLASSES, (int(width), int(height)))
        assert true_lungs is not None and true_heart is not None
        found[n] = cardiothoracic_ratio(heart, lungs), cardiothoracic_ratio(true_heart, true_lungs)
    return found


def ratio_test(name: str, found: Mapping[str, Mapping[int, np.ndarray]], items: Items) -> ScoredSet:
    """Mean size of the error of the cardiothoracic ratio, its mean with its sign, and how often there is a ratio."""
    errors = mapped(found, lambda table: table[:, :1] - table[:, 1:])
    tables = {
        "ratio error": mapped(errors, np.abs),
        "ratio bias": errors,
        "ratio found": mapped(errors, lambda table: np.isfinite(table).astype(float)),
    }
    figures = [
        Figure(figure, "heart", mapped(methods, hit_statistic), compared=False) for figure, methods in tables.items()
    ]
    return ScoredSet(name, [item_group(item) for item in items], figures)
