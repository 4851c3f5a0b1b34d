"""The NIH experiment from data to result file: localisers on real radiographs with official boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import Predictions, data_sha256
from cxr_common.files import replacing
from cxr_common.labels import LABELS
from cxr_common.metrics import average_precision, bootstrap_ci, macro_average, per_class
from tools.results.claims import check_claims
from tools.results.experiment import Experiment, Settings, load_settings, plan_runs
from tools.results.nih_data import BOX_FINDINGS, make_tests, make_training, predictions_by_box_finding
from tools.results.options import Options
from tools.results.outcomes import Outcomes
from tools.results.plots import gallery
from tools.results.record import write_once
from tools.results.runs import training_hash
from tools.results.score import PHANTOM_SKIP, Scored, Statistic, auroc_statistic, compare, score_methods

#: The shared labels that boxes are annotated for.
BOXED = tuple(label for label in LABELS if label in BOX_FINDINGS.values())
#: Findings that Opacity gathers and that NIH labels by themselves: the Opacity logit is scored on each.
OPACITIES = ("Infiltration", "Pneumonia", "Consolidation")
VIEWS = ("PA", "AP")
Methods = dict[str, dict[int, Scored]]


def run_nih(options: Options) -> None:
    """Make data, train every method with every seed, score them and write ``nih.json``.

    Raises:
        InputError: the NIH images are not there, or the baseline is not trained.
    """
    settings = load_settings(options.experiment, options.quick)
    work, shared = options.work, options.shared
    if not shared.is_dir():
        raise InputError(
            "the NIH images are not there", shared, "this experiment learns from them and is scored on them"
        )
    nih, training = make_training(settings, shared, work)
    data_hash = training_hash(training)
    tests = make_tests(settings, nih, shared, work)
    test_sha256 = {name: data_sha256(items) for name, items in tests.items()}
    folder = options.output / "outcomes" / options.experiment.stem
    outcomes = Outcomes(folder, tests, test_sha256, {"boxes": list(BOX_FINDINGS)}, "boxes")
    experiment = Experiment(settings, plan_runs(settings, work / "nih"), training, data_hash, outcomes, view)
    if options.train:
        experiment.train(options)
    if not options.score:
        return
    measured = experiment.measure()
    inputs: Settings = {
        "experiment": options.experiment.stem,
        "quick": options.quick,
        "recipe": settings,
        "trained_on": {"sha256": data_hash, **_counts(load_datalist(training, s) for s in ("training", "validation"))},
        **measured.inputs(),
        "test_sha256": test_sha256,
    }

    def score() -> Settings:
        return {**measured.trainings(), **score_all(settings, {test: measured.scored(test) for test in tests})}

    record, _ = write_once(inputs, options.output / f"{options.experiment.stem}.json", score)
    heatmaps = {name: maps for name, maps in measured.heatmaps().items() if name in settings["headline"]}
    save_gallery(record, tests["boxes"], heatmaps, work / "nih-gallery.png")
    if options.ship:
        experiment.ship()


def save_gallery(record: Settings, items: list[Settings], heatmaps: dict[str, np.ndarray], path: Path) -> None:
    """Draw the first image with a box of every finding; it stays in the work folder, for it shows patients' images."""
    with replacing(path) as temporary:
        gallery(record, items, heatmaps, list(BOX_FINDINGS)).savefig(temporary, dpi=110)
    print(f"drew {path}")


def view(test: str, predictions: Predictions) -> Predictions:
    """What a test set is scored as: the official boxes by NIH's own findings."""
    return predictions_by_box_finding(predictions) if test == "boxes" else predictions


def score_all(settings: Settings, methods: dict[str, Methods]) -> Settings:
    """The figures of every test set.

    Args:
        settings: of the experiment.
        methods: test set -> method -> seed -> what its network did.

    Returns:
        "boxes", "phantoms": as :func:`score_methods` gives them; "nih": AUROC and AP of the test images; "claims".
    """
    baseline = settings["baseline"]
    tests = {
        "boxes": methods["boxes"],
        "nih": {name: {s: of_labels(one, BOXED) for s, one in seeds.items()} for name, seeds in methods["nih"].items()},
        "phantoms": {
            name: {seed: one.without(PHANTOM_SKIP) for seed, one in seeds.items()}
            for name, seeds in methods["phantoms"].items()
        },
    }

    def of_claim(method: str, claim: Settings) -> dict[int, Statistic]:
        seeds = tests[claim["test"]].get(method, {})
        return {seed: one.statistic(claim["figure"], claim.get("class")) for seed, one in seeds.items()}

    claims = []
    for claim in settings["claims"]:
        patients = next(iter(tests[claim["test"]][baseline].values())).predictions.patients
        claims += check_claims([claim], of_claim, patients)
    listed = {test: {name: [*seeds.values()] for name, seeds in found.items()} for test, found in tests.items()}
    return {
        "boxes": score_methods(listed["boxes"], baseline),
        "nih": score_labels(listed["nih"], {n: [*s.values()] for n, s in methods["nih"].items()}, baseline),
        "phantoms": score_methods(listed["phantoms"], baseline),
        "claims": claims,
    }


def of_labels(one: Scored, labels: Sequence[str]) -> Scored:
    """The same network scored on some of its classes."""
    columns = [one.predictions.labels.index(label) for label in labels]
    p = one.predictions
    predictions = replace(p, labels=list(labels), logits=p.logits[:, columns], label=p.label[:, columns])
    return Scored(predictions, one.points[:, columns], {k: v[:, columns] for k, v in one.overlaps.items()})


def score_labels(methods: dict[str, list[Scored]], whole: dict[str, list[Scored]], baseline: str) -> Settings:
    """AUROC and average precision of the test images, by class and by view.

    Args:
        methods: method -> its seeds, with the classes that the macro averages are over.
        whole: the same with all shared labels.
        baseline: what every method is compared with.
    """
    first = methods[baseline][0].predictions
    groups, labels = first.patients, first.labels
    report: Settings = {"n_images": len(first.items), "n_patients": len(set(groups)), "methods": {}}
    report["present"] = {label: int((first.label[:, c] == 1).sum()) for c, label in enumerate(labels)}
    found = {name: np.array([name in i["findings"] for i in first.items]) for name in OPACITIES}
    report["present"] |= {name: int(present.sum()) for name, present in found.items()}
    report["views"] = {v: sum(i.get("view") == v for i in first.items) for v in VIEWS}
    for name, seeds in methods.items():
        predictions = [one.predictions for one in seeds]
        classes = list(range(len(labels)))
        entry: Settings = {
            "seeds": len(seeds),
            "auroc": {"macro": _interval([auroc_statistic(p, classes) for p in predictions], groups)},
            "ap": {"macro": _interval([_ap_statistic(p, classes) for p in predictions], groups)},
        }
        for c, label in enumerate(labels):
            entry["auroc"][label] = _interval([auroc_statistic(p, [c]) for p in predictions], groups)
            entry["ap"][label] = _interval([_ap_statistic(p, [c]) for p in predictions], groups)
        for finding, present in found.items():
            of_finding = [_of_finding(one.predictions, present) for one in whole[name]]
            entry["auroc"][finding] = _interval([auroc_statistic(p, [0]) for p in of_finding], groups)
        for view in VIEWS:
            keep = np.array([i.get("view") == view for i in first.items])
            parts = [p.subset(keep) for p in predictions]
            entry["auroc"][view] = _interval([auroc_statistic(p, classes) for p in parts], parts[0].patients)
        entry["by_seed"] = [_interval([auroc_statistic(p, classes)], groups, 1)["value"] for p in predictions]
        if name != baseline:
            other = [auroc_statistic(one.predictions, classes) for one in methods[baseline]]
            entry["against"] = {"baseline": baseline}
            entry["against"]["auroc"] = compare([auroc_statistic(p, classes) for p in predictions], other, groups)
        report["methods"][name] = entry
    return report


def _of_finding(predictions: Predictions, present: np.ndarray) -> Predictions:
    """The logit that shows one of NIH's findings, against that finding's own labels."""
    c = predictions.labels.index("Opacity")
    return replace(predictions, labels=["Opacity"], logits=predictions.logits[:, [c]], label=present[:, None] * 1.0)


def _ap_statistic(predictions: Predictions, classes: Sequence[int]) -> Statistic:
    scores, label = predictions.logits[:, classes], predictions.label[:, classes]
    return lambda w: macro_average(per_class(average_precision, scores, label, w))


def _interval(statistics: list[Statistic], groups: Sequence[str], n_resamples: int = 1000) -> Settings:
    return bootstrap_ci(statistics, groups, n_resamples=n_resamples).to_dict()


def _counts(sections: Any) -> dict[str, int]:
    names = ("training", "validation")
    return {
        f"{section}_{source}": sum(i["source"] == source for i in items)
        for section, items in zip(names, sections, strict=True)
        for source in ("nih", "simulated", "phantom")
    }
