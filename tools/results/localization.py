"""The localisation experiment from data to result file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from tools.results.claims import check_claims
from tools.results.data import make_nih, make_nihmass, make_phantoms, mix
from tools.results.experiment import Experiment, Settings, load_settings, plan_runs
from tools.results.options import Options
from tools.results.outcomes import Outcomes
from tools.results.plots import have_plots, save_plots
from tools.results.record import write_once
from tools.results.score import PHANTOM_SKIP, Scored, Statistic, score_methods, score_opacity

#: Patients among whom NIH's No Finding rows lie; figures within them do not depend on the acquisition
#: era, though on how the images were picked: see opacity_probe.yaml.
ERA = (1280, 3970)


def run_experiment(options: Options) -> None:
    """Make data, train every method with every seed, score them and write ``<experiment>.json`` and plots.

    Without training, only what is trained already is scored, and the rest listed as missing.

    Raises:
        InputError: the test phantoms are not those the experiment was fixed with, or the baseline is not trained.
    """
    settings = load_settings(options.experiment, options.quick)
    work, shared = options.work, options.shared
    phantoms, *clearer = make_phantoms(settings["phantoms"], work / "phantoms")
    real = shared.is_dir()
    nih = make_nih(settings["nih"], shared, work) if real else {}
    sources = [(path, path.parent) for path in (phantoms, *clearer)] + ([(nih["develop"], shared)] if real else [])
    training = mix(sources, work / "training.json")
    data_hash = data_sha256(load_datalist(training, "training"))
    tests = {"phantoms": load_datalist(phantoms, "testing")}
    if real:
        tests["nih"] = load_datalist(nih["score"], "testing", shared)
        tests["nihmass"] = load_datalist(make_nihmass(settings["nihmass"], shared, work), "testing", shared)
    test_sha256 = {name: data_sha256(items) for name, items in tests.items()}
    outcomes = Outcomes(options.output / "outcomes" / options.experiment.stem, tests, test_sha256)
    experiment = Experiment(settings, plan_runs(settings, work), training, data_hash, outcomes)
    if options.train:
        experiment.train(options)
    if not options.score:
        return
    if settings["phantoms"]["test"] is None and not options.quick:
        raise InputError(
            "does not say which test phantoms", options.experiment, "fix the test phantoms before anything is scored"
        )
    measured = experiment.measure()
    inputs: Settings = {
        "experiment": options.experiment.stem,
        "quick": options.quick,
        "recipe": settings,
        "trained_on": {"sha256": data_hash, "with_nih": real, **_counts(training)},
        **measured.inputs(),
        "test_sha256": test_sha256,
    }

    def score() -> Settings:
        return {**measured.trainings(), **score_all(settings, {test: measured.scored(test) for test in tests})}

    record, new = write_once(inputs, options.output / f"{options.experiment.stem}.json", score)
    if new or not have_plots(record, options.output):
        save_plots(record, tests["phantoms"], measured.heatmaps(), options.output)
    if options.ship:
        experiment.ship("models/phantoms")  # the bundles ship what the NIH experiment trains


def score_all(settings: Settings, methods: dict[str, dict[str, dict[int, Scored]]]) -> Settings:
    """The figures of every test set.

    Args:
        settings: of the experiment.
        methods: test set -> method -> seed -> what its network did.
    """
    baseline = settings["baseline"]
    listed = {test: {name: [*seeds.values()] for name, seeds in found.items()} for test, found in methods.items()}
    phantoms = {
        name: {seed: one.without(PHANTOM_SKIP) for seed, one in seeds.items()}
        for name, seeds in methods["phantoms"].items()
    }
    out: Settings = {"phantoms": score_methods({name: [*seeds.values()] for name, seeds in phantoms.items()}, baseline)}

    def of_claim(method: str, claim: Settings) -> dict[int, Statistic]:
        seeds = phantoms.get(method, {})
        return {seed: one.statistic(claim["figure"], claim.get("class")) for seed, one in seeds.items()}

    out["claims"] = check_claims(settings["claims"], of_claim, listed["phantoms"][baseline][0].predictions.patients)
    if "nih" in listed:
        items = listed["nih"][baseline][0].predictions.items
        number = np.array([int(i["patient_number"]) for i in items])
        view = np.array([i.get("view", "") for i in items])
        era = (number >= ERA[0]) & (number <= ERA[1])
        subsets = {"all": np.ones(len(items), bool), "era": era, "PA": view == "PA", "AP": view == "AP"}
        boxed = np.array([bool(i.get("boxes")) for i in items])
        on_boxes = {name: [one.subset(boxed) for one in seeds] for name, seeds in listed["nih"].items()}
        out["nih"] = {
            "n_images": len(items),
            "opacity": {name: score_opacity(listed["nih"], baseline, keep) for name, keep in subsets.items()},
            "boxes": score_methods(on_boxes, baseline),
        }
        out["nihmass"] = {"boxes": score_methods(listed["nihmass"], baseline)}
    return out


def _counts(datalist: Path) -> dict[str, int]:
    return {
        f"{section}_{source}": sum(i.get("source") == source for i in load_datalist(datalist, section))
        for section in ("training", "validation")
        for source in ("phantom", "nih")
    }
