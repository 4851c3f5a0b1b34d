"""Why an AUROC of Opacity says little: Pneumonia told from No Finding without a look at the lungs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import spearmanr

from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.metrics import auroc
from cxr_common.metrics.bootstrap import Statistic
from tools.image_cues.features import Entry, picture_features, read_nih_table, table_features
from tools.image_cues.sets import machines, tones
from tools.results.data import Items, nih_subsets
from tools.results.experiment import Data, Experiment, Runs
from tools.results.figures import Figure, ScoredSet
from tools.results.opacity_rows import OPACITY, Rows, network_scores, other_rows, read_items, read_rows
from tools.results.runs import Run
from tools.results.settings import Settings

Array = np.ndarray
Features = Mapping[str, Array]


class OpacityProbe(Experiment):
    """Logistic regressions on hand-made features; they take seconds, so nothing is trained beforehand or quick."""

    needs = "the probe is about them alone"

    def plan_methods(self) -> Settings:
        """None is trained."""
        return {}

    def plan(self) -> list[Run]:
        """None is trained."""
        return []

    def make_data(self) -> Data:
        """Rows that are learned from and scored, and other images of NIH for grey values."""
        settings, shared = self.settings, self.options.shared
        root = shared / settings["other"]["root"]
        if not root.is_dir():
            raise InputError("the real radiographs are not there", root, str(self.needs))
        self.table = read_nih_table(shared / settings["table"])
        self.learnt, self.scored = read_rows(settings["mapping"], shared, self.table)
        sections = read_items(settings["other"]["mapping"], root)
        tests = {"scored": self.scored.items, "other": [item for items in sections.values() for item in items]}
        self.networks = network_scores(self.options.output / settings["outcomes"], self.scored)
        learnt = self.learnt
        images = {"learnt": len(learnt.items), "learnt, patients": len(set(learnt.patients))}
        hashes = {name: data_sha256(items) for name, items in tests.items()}
        return Data({}, {}, tests, hashes, images, {"learnt": data_sha256(learnt.items)})

    def found(self) -> Runs:
        """None is trained."""
        return {}

    def weights(self, done: Runs) -> dict[str, str]:
        """Of the networks whose scores are beside the probe's."""
        return {name: weights for name, (weights, _) in self.networks.items()}

    def score(self, file: str, done: Runs) -> list[ScoredSet]:
        """The probe of every group of features; and that of NIH's table elsewhere."""
        first, second = (features(rows, self.settings) for rows in (self.learnt, self.scored))
        groups = self.settings["groups"].items()
        self.found_scores = {name: probe(self.settings, first, self.learnt.present, second, g) for name, g in groups}
        return [
            probe_test(self.found_scores, self.scored),
            *elsewhere(self.settings, self.table, self.learnt, self.scored),
        ]

    def notes(self, file: str, done: Runs) -> Settings:
        """Machines, grey values, and how networks' scores rise with the probe's."""
        ill, beside = self.scored.present, self.found_scores[self.settings["beside"]]
        # Among Pneumonia alone: what is left there is not disease against health.
        ranks = {name: spearmanr(logits[ill], beside[ill]).statistic for name, (_, logits) in self.networks.items()}
        sets = machine_sets(self.table, self.learnt, self.scored)
        return {
            "machines": machines(self.settings["detectors"], sets),
            "tones": tones(tone_sets([*self.learnt.items, *self.scored.items], self.data.tests["other"])),
            "rank_correlation": {name: float(value) for name, value in ranks.items()},
        }


def probe_test(found: Mapping[str, Array], rows: Rows) -> ScoredSet:
    """AUROC of scores (N,) on the scored rows and subsets of them, with how many have Pneumonia and have it not."""
    figures, counts, patients = [], {}, np.array(rows.patients)
    for name, keep in nih_subsets(rows.items).items():
        told = {group: {0: statistic(scores[keep], rows.present[keep])} for group, scores in found.items()}
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
        seeds = {settings["elsewhere"]: {0: statistic(scores, np.arange(len(rows)) < len(above))}}
        patients, counts = [row["Patient ID"] for row in rows], {"all": [len(above), len(below)]}
        return ScoredSet(name, patients, [Figure("auroc", "all", seeds)], counts=counts)

    return [told("disease elsewhere", pneumonia, healthy), told("selection", healthy, here)]


def statistic(scores: Array, ill: Array) -> Statistic:
    """AUROC as a function of image weights."""
    return lambda weights: auroc(scores, ill, weights)


def features(rows: Rows, settings: Settings) -> dict[str, Array]:
    """Name -> (N, F), of NIH's table and of the pictures."""
    pictures = picture_features([item["image"] for item in rows.items], settings)
    return {**table_features(rows.entries, settings), **pictures}


def probe(settings: Settings, first: Features, ill: Array, second: Features, group: Sequence[str]) -> Array:
    """Scores of the second features by a regression fitted to the first, each name -> (N, F)."""
    try:  # an extra: this experiment alone needs it
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise InputError("scikit-learn is not installed", action="pip install -e '.[results]'") from None

    regression = LogisticRegression(C=settings["regularization"], max_iter=1000)
    fitted = make_pipeline(StandardScaler(), regression).fit(np.hstack([first[name] for name in group]), ill)
    return np.asarray(fitted.decision_function(np.hstack([second[name] for name in group])))


def machine_sets(table: Mapping[str, Entry], learnt: Rows, scored: Rows) -> dict[str, list[Entry]]:
    """Rows of NIH's table: those of this set, and others."""
    pneumonia, healthy = other_rows(table, learnt, scored)
    both = [(e, ill) for rows in (learnt, scored) for e, ill in zip(rows.entries, rows.present, strict=True)]
    well, sick = ([entry for entry, ill in both if ill == value] for value in (False, True))
    return {
        "No Finding, this set": well,
        "No Finding, others": healthy,
        "Pneumonia, this set": sick,
        "Pneumonia, others": pneumonia,
    }


def tone_sets(here: Items, other: Items) -> dict[str, Items]:
    """Items of this set and of another, whose Opacity stands for Pneumonia, of which it has few."""

    def of(items: Items, value: int) -> Items:
        return [item for item in items if item["label"][OPACITY] == value]

    found = {"No Finding, this set": of(here, 0), "Pneumonia, this set": of(here, 1)}
    return found | {"No Finding, others": of(other, 0), "Opacity, others": of(other, 1)}
