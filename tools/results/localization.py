"""The localisation experiment from data to result file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from monai.bundle import ConfigParser
from monai.data import Dataset

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import Predictions, data_sha256, predict
from cxr_common.labels import LABELS
from cxr_common.networks import weights_sha256
from tools.results.claims import check_claims
from tools.results.data import make_nih, make_nihmass, make_phantoms, mix
from tools.results.options import Options
from tools.results.outcomes import Outcome, Outcomes
from tools.results.plots import have_plots, save_plots
from tools.results.record import write_once
from tools.results.runs import Run, chosen, ship, train_all
from tools.results.score import PHANTOM_SKIP, Scored, Statistic, score_methods, score_opacity

REPOSITORY = Path(__file__).resolve().parents[2]
#: Patients among whom NIH's No Finding rows lie; figures within them are free of the acquisition era.
ERA = (1280, 3970)
Settings = dict[str, Any]
View = Callable[[str, Predictions], Predictions]


def load_settings(experiment: Path, quick: bool = False) -> Settings:
    """Read an experiment file, on a machine with a GPU with the seeds of its section "gpu"; with `quick`, with what its
    section of that name changes."""
    settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    change, gpu = settings.pop("quick"), settings.pop("gpu", None)
    settings["quick"] = quick
    if gpu and torch.cuda.is_available():
        _set_seeds(settings, gpu["seeds"])
    if quick:
        for data in change.keys() - {"cycles", "seeds"}:
            settings[data] |= change[data]
        settings["cycles"] = change["cycles"]
        if settings.get("start"):
            settings["start"]["overrides"] |= change["cycles"][0]
        _set_seeds(settings, change["seeds"])
    return settings


def _set_seeds(settings: Settings, seeds: list[int]) -> None:
    for method in settings["methods"].values():
        if "weights_of" not in method:
            method["seeds"] = seeds


def plan_runs(settings: Settings, work: Path) -> list[Run]:
    """The last training of every method and seed: first seeds first, so that all methods can be compared early."""

    def bundle_and_configs(name: str) -> tuple[Path, tuple[Path, ...]]:
        bundle = REPOSITORY / "bundles" / name
        return bundle, tuple(bundle / "configs" / config for config in settings["configs"])

    runs = []
    first, start = settings.get("start"), None
    if first:
        start = Run("start", 0, *bundle_and_configs(first["bundle"]), first["overrides"], work / "runs" / "start")
    for name, method in settings["methods"].items():
        bundle, configs = bundle_and_configs(method.get("bundle", settings["bundle"]))
        for place, seed in enumerate(method.get("seeds", [])):
            run: Run | None = None
            for number, cycle in enumerate(settings["cycles"], start=1):
                overrides = {**method.get("overrides", {}), **cycle}
                folder = work / "runs" / f"{name}-seed{seed}-cycle{number}"
                run = Run(name, seed, bundle, configs, overrides, folder, run, start if run is None else None)
            runs.append((place, run))
    return [run for _, run in sorted(runs, key=lambda pair: pair[0]) if run]


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
    runs = plan_runs(settings, work)

    def is_known(run: Run) -> bool:
        """Whether all that is shown of a run is known: it need not be trained, even where its weights are gone."""
        key = run.recipe(data_hash)
        return all(outcomes.load(f"{name}-seed{run.seed}", made) for name, made in shown(settings, run, key).items())

    if options.train:
        names = {run.method for run in runs} | {run.name for run in runs}
        wanted = set(chosen(sorted(names), options.only, options.experiment))
        unknown = [run for run in runs if {run.method, run.name} & wanted and not is_known(run)]
        train_all([(run, training, data_hash) for run in unknown], options.parallel)
    if not options.score:
        return
    trained = [run for run in runs if run.is_done(data_hash)]
    done = [run for run in runs if run in trained or is_known(run)]
    if settings["baseline"] not in {run.method for run in done}:
        raise InputError("the baseline is not trained yet", work, "run without --trained-only")
    if settings["phantoms"]["test"] is None and not options.quick:
        raise InputError(
            "does not say which test phantoms", options.experiment, "fix the test phantoms before anything is scored"
        )
    found = measure_all(settings, done, data_hash, outcomes)
    inputs: Settings = {
        "experiment": options.experiment.stem,
        "quick": options.quick,
        "recipe": settings,
        "trained_on": {"sha256": data_hash, "with_nih": real, **_counts(training)},
        "weights_sha256": {run.name: found[run.method][run.seed].weights_sha256 for run in done},
        "missing": [run.name for run in runs if run not in done],
        "test_sha256": test_sha256,
    }

    def score() -> Settings:
        about = {run.name: found[run.method][run.seed].about for run in done}
        scored = {
            test: {method: {seed: one.scored[test] for seed, one in seeds.items()} for method, seeds in found.items()}
            for test in tests
        }
        return {
            "training_minutes": {name: one["minutes"] for name, one in about.items()},
            "training_machine": "; ".join(sorted({one["machine"] for one in about.values()})),
            "relevance": {name: one["relevance"] for name, one in about.items() if one["relevance"]},
            **score_all(settings, scored),
        }

    record, new = write_once(inputs, options.output / f"{options.experiment.stem}.json", score)
    if new or not have_plots(record, options.output):
        heatmaps = {method: next(iter(seeds.values())).gallery for method, seeds in found.items()}
        save_plots(record, tests["phantoms"], heatmaps, options.output)
    if options.ship:
        best = [run.best_cycle() for run in trained]
        own = {name: [run for run in best if run.method == name] for name in settings["methods"]}
        # What learned from phantoms; the bundles ship what the NIH experiment trains.
        ship(own, settings["methods"], "models/phantoms")


def shown(settings: Settings, run: Run, recipe: str) -> dict[str, Settings]:
    """The methods that show a run's network, and what each one's outcome is made with."""
    return {
        name: {"recipe": recipe, "inferer": method.get("inferer")}
        for name, method in settings["methods"].items()
        if method.get("weights_of", name) == run.method
    }


def measure_all(
    settings: Settings, runs: list[Run], data_hash: str, outcomes: Outcomes, view: View = lambda test, found: found
) -> dict[str, dict[int, Outcome]]:
    """Method -> seed -> what its network did on the test sets; measured where that is not known of these weights.

    Args:
        settings: of the experiment.
        runs: those that are trained or known.
        data_hash: of what they are trained on.
        outcomes: those kept, and the test sets.
        view: test set, predictions over the shared labels -> predictions over the test set's own.
    """
    out: dict[str, dict[int, Outcome]] = {name: {} for name in settings["methods"]}
    for run in runs:
        best = run.best_cycle() if run.is_done(data_hash) else None
        weights = weights_sha256(best.weights) if best else None
        for name, made_with in shown(settings, run, run.recipe(data_hash)).items():
            key = f"{name}-seed{run.seed}"
            outcome = outcomes.load(key, made_with)
            if best and weights and (outcome is None or outcome.weights_sha256 != weights):
                about = {"minutes": best.minutes(), "machine": best.machine(), "relevance": relevance(best)}
                measure = partial(_predict, best, made_with, outcomes, view)
                outcome = outcomes.make(key, made_with, weights, about, measure)
            assert outcome is not None  # of a run that is trained or known
            out[name][run.seed] = outcome
    return {name: seeds for name, seeds in out.items() if seeds}


def _predict(run: Run, made_with: Settings, outcomes: Outcomes, view: View, test: str) -> Predictions:
    definition = made_with["inferer"]
    inferer = ConfigParser({"object": definition}).get_parsed_content("object") if definition else None
    dataset = Dataset(outcomes.tests[test], run.config().get_parsed_content("validate#preprocessing"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return view(test, predict(run.network().to(device), dataset, list(LABELS), device, inferer=inferer))


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


def relevance(run: Run) -> dict[str, dict[str, float]]:
    """Layer relevance weights of a run: class -> stage -> weight; empty where its network has none."""
    trained = run.network()
    return trained.describe(LABELS)["layer_relevance"] if hasattr(trained, "describe") else {}


def _counts(datalist: Path) -> dict[str, int]:
    return {
        f"{section}_{source}": sum(i.get("source") == source for i in load_datalist(datalist, section))
        for section in ("training", "validation")
        for source in ("phantom", "nih")
    }
