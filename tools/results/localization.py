"""The localisation experiment: localisers on phantoms, and what is at hand of NIH's images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.localization import relevance_figure
from tools.phantom_sets import make_phantoms
from tools.results.data import SCORED_ROWS, count_sources, make_nih, mix, nih_subsets, prepare
from tools.results.experiment import Data
from tools.results.figures import Figure, ScoredSet, first, mapped
from tools.results.localizers import Localizers, Methods, box_test
from tools.results.plots import bars, draw_once
from tools.results.settings import Settings
from tools.results.tables import mean_relevance


class Localization(Localizers):
    """PYLON, CAM and others; what is trained on and what is scored is fixed in its file."""

    into = "models/phantoms"  # the bundles ship what the NIH experiment trains

    def make_data(self) -> Data:
        """Phantoms, clearer ones to learn from, and rows of NIH's images where they are at hand."""
        settings, work, shared = self.settings, self.work, self.options.shared
        if settings["phantoms"]["test"] is None and self.options.score and not self.options.quick:
            action = "fix the test phantoms before anything is scored"
            raise InputError("does not say which test phantoms", self.options.experiment, action)
        made = make_phantoms(settings["phantoms"], work / "phantoms")
        sources = [(path, path.parent) for path in made]
        tests = {"phantoms": load_datalist(made[0], "testing")}
        if shared.is_dir():
            sources.append((make_nih(settings["nih"], shared, work), shared))
            for name in ("nih", "nihmass"):
                rows = prepare(settings[name]["mapping"], shared, work / f"{name}_score.json", "--set", SCORED_ROWS)
                tests[name] = load_datalist(rows, "testing", shared)
        training = mix(sources, work / "training.json")
        return Data(
            {"training": training},
            tests,
            images=count_sources(training, ("phantom", "nih")),
            hashes={"training": data_sha256(load_datalist(training, "training"))},
        )

    def score_tests(self, methods: Mapping[str, Methods]) -> list[ScoredSet]:
        """Points, overlaps and labels; of NIH's rows points by themselves, for their labels say little."""
        baseline = self.settings["baseline"]
        tests = [box_test("phantoms", methods["phantoms"], baseline)]
        if "nih" in methods:
            boxed = np.array([bool(item.get("boxes")) for item in first(methods["nih"]).predictions.items])
            tests.append(box_test("nih boxes", mapped(methods["nih"], lambda s: s.subset(boxed)), baseline))
            tests += [box_test("nihmass", methods["nihmass"], baseline), opacity_test(methods["nih"], baseline)]
        return tests

    def draw(self, file: str, record: Settings) -> None:
        """Bars, heatmaps, and layer relevance."""
        relevance, start = mean_relevance(record["notes"]["relevance"]), self.options.output / file
        draw_once(Path(f"{start}-bars.png"), record, lambda: bars(record))
        self.draw_gallery(Path(f"{start}-gallery.png"), record, self.measured)
        if relevance:
            title = "Layer relevance, mean over seeds"
            draw_once(Path(f"{start}-relevance.png"), record, lambda: relevance_figure(relevance, title))


def opacity_test(methods: Methods, baseline: str) -> ScoredSet:
    """AUROC of Opacity on NIH's rows and on subsets of them, with how many have it and have it not."""
    p = first(methods).predictions
    label, figures, counts = p.label[:, p.labels.index("Opacity")], [], {}
    for name, keep in nih_subsets(p.items).items():
        kept = mapped(methods, lambda s, keep=keep: s.subset(keep).statistic("auroc", "Opacity"))
        figures.append(Figure("auroc", name, kept, patients=p.subset(keep).patients))
        counts[name] = [int((label[keep] == value).sum()) for value in (1, 0)]
    return ScoredSet("nih", p.patients, figures, baseline, counts)
