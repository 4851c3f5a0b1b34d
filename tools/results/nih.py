"""The NIH experiment: localisers on real radiographs with official boxes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cxr_common.evaluation import NetworkMaps
from cxr_common.labels import LABELS
from cxr_common.metrics import auroc
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.statistics import label_statistic
from tools.results.data import count_sources
from tools.results.experiment import Data
from tools.results.figures import Figure, ScoredSet, mapped
from tools.results.localizers import PHANTOM_SKIP, Localizers, Methods, box_test, first, label_figures
from tools.results.nih_data import BOX_FINDINGS, make_tests, make_training, predictions_by_box_finding
from tools.results.plan import plan_runs
from tools.results.plots import draw_once, gallery
from tools.results.settings import Settings
from tools.trainings import Run

#: The shared labels that boxes are annotated for.
BOXED = tuple(label for label in LABELS if label in BOX_FINDINGS.values())
#: Findings that Opacity gathers and that NIH labels by themselves: the Opacity logit is scored on each.
OPACITIES = ("Infiltration", "Pneumonia", "Consolidation")
VIEWS = ("PA", "AP")


class Nih(Localizers):
    """Localisers that learn from NIH's images, simulated findings and phantoms; what ships."""

    needs = "this experiment learns from NIH's images and is scored on them"
    own_labels = {"boxes": list(BOX_FINDINGS)}
    shown = "boxes"

    def plan(self) -> list[Run]:
        """All trainings, in a folder of their own."""
        return plan_runs(self.settings, self.work / "nih")

    def make_data(self) -> Data:
        """Real images, simulated findings and phantoms; official boxes, other patients, and test phantoms."""
        nih, training = make_training(self.settings, self.options.shared, self.work)
        tests = make_tests(self.settings, nih, self.options.shared, self.work)
        return Data({"training": training}, tests, images=count_sources(training, ("nih", "simulated", "phantom")))

    def view(self, test: str, found: NetworkMaps) -> NetworkMaps:
        """The official boxes are scored by NIH's own findings."""
        return predictions_by_box_finding(found) if test == "boxes" else found

    def score_tests(self, methods: Mapping[str, Methods]) -> list[ScoredSet]:
        """Points and overlaps on boxes and phantoms, image labels of the test images."""
        baseline = self.settings["baseline"]
        phantoms = mapped(methods["phantoms"], lambda one: one.without(PHANTOM_SKIP))
        boxes = box_test("boxes", methods["boxes"], baseline)
        return [boxes, label_test(methods["nih"], baseline), box_test("phantoms", phantoms, baseline)]

    def draw(self, file: str, record: Settings) -> None:
        """The first image with a box of every finding; it stays in the work folder, for it shows patients' images."""
        heatmaps = {name: maps for name, maps in self.heatmaps().items() if name in self.settings["headline"]}
        items, labels = self.data.tests["boxes"], list(BOX_FINDINGS)
        draw_once(self.work / "nih-gallery.png", record, lambda: gallery(record, items, heatmaps, labels))


def label_test(methods: Methods, baseline: str) -> ScoredSet:
    """AUROC and average precision of the test images, by class and by view; macro averages over :data:`BOXED`."""
    seen = mapped(methods, lambda one: one.of_labels(BOXED))
    p, figures = first(seen).predictions, label_figures(seen)
    counts = {label: int((p.label[:, c] == 1).sum()) for c, label in enumerate(p.labels)}
    for name in OPACITIES:
        present = np.array([[name in item["findings"]] for item in p.items], dtype=float)
        told = mapped(methods, lambda one, present=present: of_finding(one.predictions, present))
        figures.append(Figure("auroc", name, told, compared=False))
        counts[name] = int(present.sum())
    for view in VIEWS:
        keep = np.array([item.get("view") == view for item in p.items])
        within = mapped(seen, lambda one, keep=keep: one.subset(keep).statistic("auroc"))
        figures.append(Figure("auroc", view, within, compared=False, patients=p.subset(keep).patients))
        counts[view] = int(keep.sum())
    return ScoredSet("nih", p.patients, figures + label_figures(seen, "ap"), baseline, counts)


def of_finding(predictions: NetworkMaps, present: np.ndarray) -> Statistic:
    """AUROC of the logit that shows one of NIH's findings, against that finding's own labels (N, 1)."""
    return label_statistic(auroc, predictions.logits[:, [predictions.labels.index("Opacity")]], present)
