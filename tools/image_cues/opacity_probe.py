"""Why an AUROC of Opacity says little: Pneumonia told from No Finding without a look at the lungs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.metrics import auroc
from cxr_common.metrics.statistics import label_statistic
from tools.image_cues.features import Entry, read_nih_table, table_features
from tools.image_cues.probe import features, probe
from tools.image_cues.rows import OPACITY, Rows, machine_sets, other_rows, read_items, read_rows, tone_sets
from tools.image_cues.sets import machines, tones
from tools.results.data import nih_subsets
from tools.results.experiment import Data, Experiment
from tools.results.figures import Figure, ScoredSet
from tools.results.plan import Runs
from tools.results.settings import Settings

Array = np.ndarray


class OpacityProbe(Experiment):
    """Logistic regressions on hand-made features; they take seconds, so nothing is trained beforehand or quick."""

    needs = "the probe is about them alone"

    def make_data(self) -> Data:
        """Rows that are learned from and scored, and other images of NIH for grey values."""
        settings, shared = self.settings, self.options.shared
        root = shared / settings["other"]["root"]
        if not root.is_dir():
            raise InputError("the real radiographs are not there", root, self.needs)
        self.table = read_nih_table(shared / settings["table"])
        self.learnt, self.scored = read_rows(settings["mapping"], shared, self.table)
        sections = read_items(settings["other"]["mapping"], root)
        tests = {"scored": self.scored.items, "other": [item for items in sections.values() for item in items]}
        self.networks = network_scores(self.options.output / settings["outcomes"], self.scored)
        learnt = self.learnt
        images = {"learnt": len(learnt.items), "learnt, patients": len(set(learnt.patients))}
        weights = {name: known for name, (known, _) in self.networks.items()}
        known = {"learnt": data_sha256(learnt.items)}
        return Data({}, tests, images=images, trained_on=known, weights=weights)

    def score(self, file: str, done: Runs) -> tuple[list[ScoredSet], Settings]:
        """The probe of every group of features, and that of NIH's table elsewhere.

        Beside them: machines, grey values, and how networks' scores rise with the probe's.
        """
        first, second = (features(rows, self.settings) for rows in (self.learnt, self.scored))
        groups = self.settings["groups"].items()
        found = {name: probe(self.settings, first, self.learnt.present, second, group) for name, group in groups}
        tests = [probe_test(found, self.scored), *elsewhere(self.settings, self.table, self.learnt, self.scored)]
        ill, beside = self.scored.present, found[self.settings["beside"]]
        # Among Pneumonia alone: what is left there is not disease against health.
        ranks = {name: spearmanr(logits[ill], beside[ill]).statistic for name, (_, logits) in self.networks.items()}
        sets = machine_sets(self.table, self.learnt, self.scored)
        return tests, {
            "machines": machines(self.settings["detectors"], sets),
            "tones": tones(tone_sets([*self.learnt.items, *self.scored.items], self.data.tests["other"])),
            "rank_correlation": {name: float(value) for name, value in ranks.items()},
        }


def probe_test(found: Mapping[str, Array], rows: Rows) -> ScoredSet:
    """AUROC of scores (N,) on the scored rows and subsets of them, with how many have Pneumonia and have it not."""
    figures, counts, patients = [], {}, np.array(rows.patients)
    for name, keep in nih_subsets(rows.items).items():
        ill = rows.present[keep, None]
        told = {group: {0: label_statistic(auroc, scores[keep, None], ill)} for group, scores in found.items()}
        figures.append(Figure("auroc", name, told, patients=list(patients[keep])))
        counts[name] = [int((rows.present & keep).sum()), int((~rows.present & keep).sum())]
    return ScoredSet("scored", rows.patients, figures, counts=counts)


def elsewhere(settings: Settings, table: Mapping[str, Entry], learnt: Rows, scored: Rows) -> list[ScoredSet]:
    """The probe of NIH's table on other patients: does it know the disease, or this selection of images?

    Returns:
        "disease elsewhere": AUROC of Pneumonia against No Finding among images that are not of this set; "selection":
        AUROC of No Finding elsewhere against the scored No Finding.
    """
    pneumonia, healthy = other_rows(table, learnt, scored)
    here = [entry for entry, ill in zip(scored.entries, scored.present, strict=True) if not ill]
    first, group = table_features(learnt.entries, settings), settings["groups"][settings["elsewhere"]]

    def told(name: str, above: list[Entry], below: list[Entry]) -> ScoredSet:
        rows = [*above, *below]
        scores = probe(settings, first, learnt.present, table_features(rows, settings), group)
        ill = np.arange(len(rows)) < len(above)
        seeds = {settings["elsewhere"]: {0: label_statistic(auroc, scores[:, None], ill[:, None])}}
        patients, counts = [row["Patient ID"] for row in rows], {"all": [len(above), len(below)]}
        return ScoredSet(name, patients, [Figure("auroc", "all", seeds)], counts=counts)

    return [told("disease elsewhere", pneumonia, healthy), told("selection", healthy, here)]


def network_scores(folder: Path, scored: Rows) -> dict[str, tuple[str, np.ndarray]]:
    """What the localisation experiment's networks said of the scored rows, where it is kept.

    Returns:
        Run -> hash of its weights, and its logits of Opacity (N,). Heatmaps of the same network count once.

    Raises:
        InputError: an outcome is of other rows.
    """
    found: dict[str, tuple[str, np.ndarray]] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as file:
            if "nih/logits" not in file:
                continue
            weights = json.loads(str(file["about"]))["weights_sha256"]
            if not np.array_equal(file["nih/label"][:, OPACITY] == 1, scored.present):
                raise InputError("is of other images than the probe is scored on", path, "score the networks again")
            if weights not in {known for known, _ in found.values()}:
                found[path.stem] = weights, file["nih/logits"][:, OPACITY]
    return found
