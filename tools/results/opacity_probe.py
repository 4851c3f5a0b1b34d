"""Why an AUROC of Opacity says little: Pneumonia told from No Finding without a look at the lungs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml
from scipy.stats import spearmanr

from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.metrics import auroc, bootstrap_ci
from tools.results.opacity_features import Entry, picture_features, read_nih_table, table_features
from tools.results.opacity_others import machines, other_items, other_rows, tones
from tools.results.opacity_rows import Rows, network_scores, read_rows
from tools.results.options import Options
from tools.results.record import write_once

Array = np.ndarray
Features = Mapping[str, Array]
Settings = dict[str, Any]


def run_opacity_probe(options: Options) -> None:
    """Fit and score the probe, and write ``opacity_probe.json``; it takes seconds, so `quick` changes nothing.

    Raises:
        InputError: the real radiographs are not there.
    """
    settings: Settings = yaml.safe_load(options.experiment.read_text(encoding="utf-8"))
    for folder in (options.shared, options.shared / settings["other"]["root"]):
        if not folder.is_dir():
            raise InputError("the real radiographs are not there", folder, "the probe is about them alone")
    table = read_nih_table(options.shared / settings["table"])
    learnt, scored = read_rows(settings["mapping"], options.shared, table)
    other = other_items(settings["other"]["mapping"], options.shared / settings["other"]["root"])
    networks = network_scores(options.output / settings["outcomes"], scored)
    inputs: Settings = {
        "experiment": "opacity probe",
        "quick": options.quick,
        "recipe": settings,
        "data_sha256": {
            "learnt": data_sha256(learnt.items),
            "scored": data_sha256(scored.items),
            "other": data_sha256(other),
        },
        "networks": {name: weights for name, (weights, _) in networks.items()},
    }

    def score() -> Settings:
        first, second = (_features(rows, settings) for rows in (learnt, scored))
        found = {
            name: _probe(settings, first, learnt.present, second, group) for name, group in settings["groups"].items()
        }
        ill, beside = scored.present, found[settings["beside"]]
        return {
            "images": {"learnt": _counts(learnt), "scored": _counts(scored)},
            "groups": {name: _figures(scores, scored) for name, scores in found.items()},
            "elsewhere": elsewhere(settings, table, learnt, scored),
            "machines": machines(settings["detectors"], table, learnt, scored),
            "tones": tones([*learnt.items, *scored.items], other),
            # Among Pneumonia alone: what is left there is not disease against health.
            "rank_correlation": {
                name: float(spearmanr(logits[ill], beside[ill]).statistic) for name, (_, logits) in networks.items()
            },
        }

    write_once(inputs, options.output / "opacity_probe.json", score)


def elsewhere(settings: Settings, table: Mapping[str, Entry], learnt: Rows, scored: Rows) -> Settings:
    """The probe of NIH's table on other patients: does it know the disease, or this selection of images?

    Returns:
        "disease": AUROC of Pneumonia against No Finding among images that are not of this set; "selection": AUROC of
        No Finding elsewhere against the scored No Finding; counts.
    """
    pneumonia, healthy = other_rows(table, learnt, scored)
    here = [entry for entry, ill in zip(scored.entries, scored.present, strict=True) if not ill]
    first, group = table_features(learnt.entries, settings), settings["groups"][settings["elsewhere"]]

    def told(above: list[Entry], below: list[Entry]) -> Settings:
        rows = [*above, *below]
        scores = _probe(settings, first, learnt.present, table_features(rows, settings), group)
        return _auroc(scores, np.arange(len(rows)) < len(above), [row["Patient ID"] for row in rows])

    return {
        "n_pneumonia": len(pneumonia),
        "n_no_finding": len(healthy),
        "disease": told(pneumonia, healthy),
        "selection": told(healthy, here),
    }


def _features(rows: Rows, settings: Settings) -> dict[str, Array]:
    pictures = picture_features([item["image"] for item in rows.items], settings)
    return {**table_features(rows.entries, settings), **pictures}


def _probe(settings: Settings, first: Features, ill: Array, second: Features, group: Sequence[str]) -> Array:
    """Scores of the second features by a regression fitted to the first, each name -> (N, F)."""
    try:  # an extra: this experiment alone needs it
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        raise InputError("scikit-learn is not installed", action="pip install -e '.[results]'") from None

    regression = LogisticRegression(C=settings["regularization"], max_iter=1000)
    fitted = make_pipeline(StandardScaler(), regression).fit(np.hstack([first[name] for name in group]), ill)
    return fitted.decision_function(np.hstack([second[name] for name in group]))


def _figures(scores: Array, rows: Rows) -> Settings:
    patients = np.array(rows.patients)
    return {name: _auroc(scores[keep], rows.present[keep], patients[keep]) for name, keep in rows.subsets().items()}


def _auroc(scores: Array, ill: Array, patients: Sequence[str] | Array) -> Settings:
    return bootstrap_ci(lambda weights: auroc(scores, ill, weights), list(patients)).to_dict()


def _counts(rows: Rows) -> Settings:
    subsets = {
        name: [int((rows.present & keep).sum()), int((~rows.present & keep).sum())]
        for name, keep in rows.subsets().items()
    }
    return {"patients": len(set(rows.patients)), "present and absent": subsets}
