"""The detection experiment on real radiographs: OXnet on NIH's official boxes, beside localisers without these."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.data.datalist import item_group
from cxr_common.detection.figures import DetectorFigures
from cxr_common.errors import InputError
from cxr_common.evaluation import BoxPredictions
from cxr_common.labels import LABELS
from cxr_common.metrics import auroc
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.statistics import hit_statistic, label_statistic
from tools.nih.box_outcomes import BoxOutcome, pack_boxes, unpack_boxes
from tools.nih.detection_data import Pointer, point_table, read_localizers, read_nih
from tools.nih.nih import BOX_FINDINGS, BOXED, by_box_finding, make_simulated, simulated_from
from tools.nih.tuning import shipping, tune_shipped
from tools.repository import REPOSITORY
from tools.results.data import Items, prepare
from tools.results.detection import detected, image_counts, with_curves, write_annotations
from tools.results.experiment import Data
from tools.results.figures import Figure, ScoredSet, mapped
from tools.results.outcomes import Arrays, KeptExperiment
from tools.results.plan import Runs
from tools.results.settings import Settings
from tools.trainings import Run, training_hash

#: False positives per image at which sensitivity is given; FROC is the mean over them.
RATES = (1 / 4, 1 / 2, 1.0, 2.0, 4.0)
#: Outcomes of the NIH experiment's localisers.
LOCALIZERS = REPOSITORY / "docs" / "results" / "outcomes" / "nih"
#: Method -> seed -> what it did.
Detectors = Mapping[str, Mapping[int, BoxOutcome]]
Pointers = Mapping[str, Pointer]


class NihDetection(KeptExperiment[BoxOutcome, BoxPredictions]):
    """Detectors that learn from a part of NIH's boxed images, labels of others, and unlabelled ones."""

    needs = "this experiment learns from NIH's images and is scored on them"
    radiographs = "nih"
    home = "nih_detection"
    shares: ClassVar[Sequence[str]] = ("nih", "simulated")

    def run(self) -> None:
        """Do what the options say; what ships is tuned on NIH's validation images without a finding too.

        Images with boxes alone do not show how many boxes a normal image would get.
        """
        super().run()
        if self.options.ship:
            others = load_datalist(self.nih.nih, "validation", self.options.shared)
            normal = [item for item in others if all(value == 0 for value in item["label"])]
            absent = [{**item, "boxes": [], "box_labels": []} for item in normal]
            tune_shipped(
                shipping(self.runs, self.methods), [*self.nih.validation, *absent], self.work / self.home / "tuned"
            )

    def plan_methods(self) -> Settings:
        """The methods, and one more for each point of the curve."""
        return with_curves(self.settings)

    def make_data(self) -> Data:
        """The same images with other annotations for each method; boxed images, and other patients' images."""
        nih = prepare(self.settings["nih"]["mapping"], self.options.shared, self.work / self.home / "nih14.json")
        self.nih = data = read_nih(self.settings, nih, self.options.shared)
        self.localizers = read_localizers(LOCALIZERS, self.settings["localizers"], self.options.shared, data)
        datalists = self.write_datalists({**data.pools, "simulated": []})
        hashes = hashes_of(datalists, image_counts(self.settings), self.simulated_from())
        return Data(datalists, {"boxes": data.boxed} | ({"nih": data.labelled} if data.labelled else {}), hashes=hashes)

    def write_datalists(self, pools: Mapping[str, Items]) -> dict[str, Path]:
        """A datalist for each method; of simulated findings, those that there are."""
        settings = copy.deepcopy(self.settings)
        for method in settings["methods"].values():
            if own := method.get("images"):
                own["simulated"] = min(own.get("simulated", 0), len(pools["simulated"]))
        return write_annotations(settings, pools, self.nih.validation, self.work / self.home / "datalists")

    def before_training(self) -> None:
        """Simulate findings where a method learns from any, which takes long; kept outcomes do without.

        Raises:
            InputError: there are fewer than a method learns from; a quick run takes those that there are.
        """
        if wanted := max(count["simulated"] for count in image_counts(self.settings).values()):
            made = load_datalist(self.make_simulated(), "training")
            if len(made) < wanted and not self.settings["quick"]:
                found = f"asks for {wanted} simulated findings, {len(made)} were made"
                raise InputError(found, self.options.experiment, "ask for no more than there are")
            order = np.random.default_rng(0).permutation(len(made))
            self.write_datalists({**self.nih.pools, "simulated": [made[index] for index in order]})

    def make_simulated(self) -> Path:
        """Datalist of simulated findings."""
        return make_simulated(self.settings["simulated"], self.nih.nih, self.options.shared, self.work)

    def simulated_from(self) -> str:
        """What they are known by on any machine."""
        return simulated_from(self.settings["simulated"], self.nih.nih, self.options.shared)

    def files(self) -> dict[str, Sequence[str]]:
        """One file with the methods that are done: localisers alone, where none is."""
        done = self.trained(known=True)
        return {self.options.experiment.stem: [name for name in self.methods if name in done]}

    def predict(self, run: Run, made_with: Settings, test: str) -> BoxPredictions:
        """What the network of a run detects on a test set."""
        return detected(run, self.data.tests[test])

    def pack(self, found: Mapping[str, BoxPredictions]) -> Arrays:
        """Boxes of the one test set, scores of the other."""
        return pack_boxes(found)

    def unpack(self, about: dict[str, Any], arrays: Arrays) -> BoxOutcome:
        """The same, read again."""
        return unpack_boxes(about, arrays, self.data.tests["boxes"])

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Boxes and points of the boxed images, AUROC of the others, if there are any."""
        boxed, baseline = self.data.tests["boxes"], self.settings["baseline"]
        tests = [
            box_test(boxed, self.measured, baseline),
            point_test(boxed, self.measured, self.localizers, self.settings["localizers_baseline"]),
        ]
        if labelled := self.data.tests.get("nih"):
            tests.append(label_test(labelled, self.measured, self.localizers, baseline))
        return tests, {}


def hashes_of(datalists: Mapping[str, Path], counts: Mapping[str, dict[str, int]], made: str) -> dict[str, str]:
    """Method -> hash of what it learns from; simulated findings count by what they are made from, `made`.

    Whoever learns from some of them learns from the same images besides as another method does, which has none.
    """
    hashes: dict[tuple[int, ...], str] = {}  # many methods learn from the same, and reading it takes a minute
    names = {tuple(count.values()): name for name, count in counts.items()}
    out = {}
    for name, count in counts.items():
        real = tuple({**count, "simulated": 0}.values())
        hashes[real] = hashes.get(real) or training_hash(datalists[names[real]])
        parts = f"{hashes[real]}, {count['simulated']} of {made}"
        out[name] = hashlib.sha256(parts.encode()).hexdigest() if count["simulated"] else hashes[real]
    return out


def box_test(items: Items, detectors: Detectors, baseline: str) -> ScoredSet:
    """AP40 (macro, then class by class), AP50, AP and FROC, of the classes that have boxes."""
    made = mapped(detectors, lambda one: DetectorFigures(one.boxes, rates=RATES))
    classes = [c for item in items for c in item["box_labels"]]
    counts = {LABELS[c]: classes.count(c) for c in sorted(set(classes))}
    figures = [Figure.measured(made, "AP40", of, by_seed=of == "macro") for of in ("macro", *counts)]
    figures += [Figure.measured(made, name, "macro") for name in ("AP50", "AP", "FROC")]
    figures += [Figure.measured(made, "FROC", f"{rate:g}", compared=False) for rate in RATES]
    return ScoredSet("boxes", patients(items), figures, baseline, counts)


def point_test(items: Items, detectors: Detectors, localizers: Pointers, baseline: str) -> ScoredSet:
    """Points: centres of detectors' best boxes, largest pixels of localisers' heatmaps."""
    tables = mapped(detectors, lambda one: point_table(one.boxes))
    tables |= {name: {0: one.points} for name, one in localizers.items()}
    names = list(BOX_FINDINGS)
    pairs = [names[c] for item in items for c in set(by_box_finding(item)["box_labels"])]
    figures = [
        Figure("point", average, mapped(tables, lambda table, average=average: hit_statistic(table, average)))
        for average in ("micro", "macro")
    ]
    for c, name in enumerate(names):
        own = mapped(tables, lambda table, c=c: hit_statistic(table[:, [c]]))
        figures.append(Figure("point", name, own, compared=False))
    return ScoredSet("points", patients(items), figures, baseline, {name: pairs.count(name) for name in names})


def label_test(items: Items, detectors: Detectors, localizers: Pointers, baseline: str) -> ScoredSet:
    """AUROC of image labels, macro over the classes that have boxes: by the best box, and of image-level logits."""
    columns = [LABELS.index(label) for label in BOXED]
    label = np.array([[np.nan if v is None else v for v in item["label"]] for item in items], dtype=float)[:, columns]

    def areas(scores: np.ndarray) -> Statistic:
        return label_statistic(auroc, scores[:, columns], label)

    heads = mapped(detectors, lambda one: areas(one.logits)) | {
        name: {0: areas(one.logits)} for name, one in localizers.items()
    }
    figures = [Figure("AUROC of the best box", "macro", mapped(detectors, lambda one: areas(one.scores)))]
    figures.append(Figure("AUROC of the image's logit", "macro", heads))
    counts = {name: int((label[:, c] == 1).sum()) for c, name in enumerate(BOXED)}
    return ScoredSet("nih", patients(items), figures, baseline, counts)


def patients(items: Items) -> list[str]:
    """What the bootstrap draws, of each image."""
    return [item_group(item) for item in items]
