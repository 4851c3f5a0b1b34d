"""What experiments that compare localisers share: outcomes that are kept, figures of points, overlaps and labels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from monai.bundle import ConfigParser
from monai.data import Dataset

from cxr_common.errors import InputError
from cxr_common.evaluation import NetworkMaps, predict
from cxr_common.evaluation.scored import Scored
from cxr_common.labels import LABELS
from cxr_common.localization.gallery import gallery_figure, gallery_rows
from cxr_common.metrics import centre_point_hits, random_point_hits
from tools.results.figures import CHANCE, Figure, ScoredSet, first, mapped
from tools.results.outcomes import Arrays, KeptExperiment, Outcome, arrays_of
from tools.results.plan import Runs
from tools.results.plots import draw_once
from tools.results.settings import Settings
from tools.results.tables import scored_methods
from tools.trainings import Run

#: Opacity has the boxes of Consolidation on phantoms; counting both would count one finding twice.
PHANTOM_SKIP = "Opacity"
#: The overlap that is given class by class.
BY_CLASS = "box T(IoBB) > 0.25"
#: Method -> seed -> what its network did on a test set.
Methods = Mapping[str, Mapping[int, Scored]]


@dataclass(frozen=True)
class LocalizerOutcome(Outcome):
    """What one network did, with one way of making heatmaps; "relevance" of its layers is reported, if it has any.

    Attributes:
        scored: test set -> class logits and hit tables; without heatmaps.
        gallery: (R, x, y) float16 logit maps of the images and classes of :func:`gallery_rows`.
    """

    scored: dict[str, Scored]
    gallery: np.ndarray


class Localizers(KeptExperiment[LocalizerOutcome, NetworkMaps]):
    """Localisers; some methods are other heatmaps of another's networks."""

    #: Test set with class names of its own -> each name -> the shared label whose map shows it.
    own_labels: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    #: The test set whose heatmaps the gallery shows.
    shown: ClassVar[str] = "phantoms"

    @abstractmethod
    def score_tests(self, methods: Mapping[str, Methods]) -> list[ScoredSet]:
        """Figures of what networks did: test set -> methods."""

    def shows(self, run: Run) -> dict[str, Settings]:
        """Its own method, and those that make other heatmaps of its network."""
        ((_, made_with),) = super().shows(run).items()
        return {
            name: {**made_with, "inferer": method.get("inferer")}
            for name, method in self.methods.items()
            if method.get("weights_of", name) == run.method
        }

    def write(self, file: str, names: Sequence[str], done: Runs) -> None:
        """Measure what is not known, then write.

        Raises:
            InputError: the baseline is not trained.
        """
        if self.settings["baseline"] not in done:
            raise InputError("the baseline is not trained yet", self.work, "run without --trained-only")
        super().write(file, names, done)

    def facts(self, run: Run) -> Settings:
        """Layer relevance of the multiscale network, too."""
        network = run.network()
        relevance = network.describe(LABELS)["layer_relevance"] if hasattr(network, "describe") else {}
        return {**super().facts(run), "relevance": relevance}

    def predict(self, run: Run, made_with: Settings, test: str) -> NetworkMaps:
        """What a network says of a test set, with an inferer of its own or none."""
        definition = made_with["inferer"]
        inferer = ConfigParser({"object": definition}).get_parsed_content("object") if definition else None
        dataset = Dataset(self.data.tests[test], run.config().get_parsed_content("validate#preprocessing"))
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        found = predict(run.network().to(device), dataset, list(LABELS), device, inferer=inferer)
        return relabelled(found, self.own_labels[test]) if test in self.own_labels else found

    def labels(self, test: str) -> list[str]:
        """Class names of a test set."""
        return list(self.own_labels.get(test, LABELS))

    def pack(self, found: Mapping[str, NetworkMaps]) -> Arrays:
        """Logits, hits, and the heatmaps that the gallery shows."""
        rows = gallery_rows(self.data.tests[self.shown], self.labels(self.shown))
        kept: Arrays = {"gallery": np.stack([found[self.shown].maps[image, c] for c, image in rows])}
        for test, predictions in found.items():
            kept |= {f"{test}/{key}": array for key, array in Scored.of(predictions).arrays().items()}
        return kept

    def unpack(self, about: dict[str, Any], arrays: Arrays) -> LocalizerOutcome:
        """Logits and hits of every test set."""
        tests = self.data.tests.items()
        scored = {test: Scored.from_arrays(arrays_of(arrays, test), items, self.labels(test)) for test, items in tests}
        return LocalizerOutcome(about, scored, arrays["gallery"])

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """Figures of every test set, and layer relevance of the networks that have it."""
        found = {test: mapped(self.measured, lambda one, test=test: one.scored[test]) for test in self.data.tests}
        stages = {run.name: self.about(run)["relevance"] for seeds in done.values() for run in seeds.values()}
        return self.score_tests(found), {"relevance": {name: weights for name, weights in stages.items() if weights}}

    def draw_gallery(self, path: Path, record: Settings, methods: Collection[str]) -> None:
        """Heatmaps of methods, the first seed of each, on an image with each finding."""
        titles = {name: title for name, title in scored_methods(record).items() if name in methods}
        seen = {title: next(iter(self.measured[name].values())).gallery for name, title in titles.items()}
        items, labels = self.data.tests[self.shown], self.labels(self.shown)
        draw_once(path, record, lambda: gallery_figure(items, seen, labels))


def relabelled(predictions: NetworkMaps, names: Mapping[str, str]) -> NetworkMaps:
    """Predictions over the shared labels, as predictions over other names, each shown by a shared label's map."""
    columns = [LABELS.index(label) for label in names.values()]
    logits, maps = predictions.logits[:, columns], predictions.maps[:, columns]
    return replace(predictions, labels=list(names), logits=logits, maps=maps)


def label_figures(methods: Methods, name: str = "auroc") -> list[Figure]:
    """AUROC, or another metric of image labels: macro, and of every class."""
    main, labels = name == "auroc", first(methods).predictions.labels
    macro = Figure.measured(methods, name, "macro", compared=main, by_seed=main)
    return [macro, *(Figure.measured(methods, name, label, compared=False) for label in labels)]


def box_test(name: str, methods: Methods, baseline: str) -> ScoredSet:
    """Image labels, points and overlaps of localisers on images with boxes, beside points that look at nothing."""
    if name == "phantoms":
        methods = mapped(methods, lambda one: one.without(PHANTOM_SKIP))
    one = first(dict.fromkeys([baseline], methods[baseline]))
    p, labels = one.predictions, one.predictions.labels
    boxes, classes = p.boxes()
    counted, chance = np.isfinite(one.points), {}
    for title, hits in zip(CHANCE, (random_point_hits, centre_point_hits), strict=True):
        points = np.where(counted, hits(boxes, classes, len(labels), p.input_size), np.nan)
        chance[title] = {0: replace(one, points=points)}

    pointed, figures = {**methods, **chance}, label_figures(methods)
    figures.append(Figure.measured(pointed, "point", "micro", misses=True, by_seed=True))
    figures.append(Figure.measured(pointed, "point", "macro", misses=True))
    figures += [Figure.measured(pointed, "point", label, compared=False, by_seed=True) for label in labels]
    figures += [Figure.measured(methods, overlap, "micro", compared=False) for overlap in one.overlaps]
    figures += [Figure.measured(methods, BY_CLASS, label, compared=False) for label in labels]
    return ScoredSet(name, p.patients, figures, baseline, dict(zip(labels, counted.sum(0).tolist(), strict=True)))
