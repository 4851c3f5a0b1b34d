"""The localisation experiment from data to result file."""

from __future__ import annotations

import hashlib
import json
import os
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
from cxr_common.networks import load_weights, weights_sha256
from tools.results.claims import check_claims
from tools.results.data import make_nih, make_nihmass, make_phantoms, mix
from tools.results.options import Options
from tools.results.plots import save_plots
from tools.results.record import write_once
from tools.results.runs import Run, chosen, first_cycle, ship, train_all
from tools.results.score import PHANTOM_SKIP, score_methods, score_opacity, scored

REPOSITORY = Path(__file__).resolve().parents[2]
#: Patients among whom NIH's No Finding rows lie; figures within them are free of the acquisition era.
ERA = (1280, 3970)
Settings = dict[str, Any]


def load_settings(experiment: Path, quick: bool = False) -> Settings:
    """Read an experiment file; with `quick`, with what its section of that name changes."""
    settings = yaml.safe_load(experiment.read_text(encoding="utf-8"))
    change = settings.pop("quick")
    settings["quick"] = quick
    if quick:
        settings["phantoms"] |= change["phantoms"]
        settings["cycles"] = change["cycles"]
        if settings.get("start"):
            settings["start"]["overrides"] |= change["cycles"][0]
        for method in settings["methods"].values():
            if "weights_of" not in method:
                method["seeds"] = change["seeds"]
    return settings


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
    runs = plan_runs(settings, work)
    if options.train:
        names = {run.method for run in runs} | {run.name for run in runs}
        wanted = set(chosen(sorted(names), options.only, options.experiment))
        train_all([run for run in runs if {run.method, run.name} & wanted], options.parallel, training, data_hash)
    if not options.score:
        return
    missing = [run.name for run in runs if not run.is_done(data_hash)]
    done = [run.best_cycle() for run in runs if run.name not in missing]
    if settings["baseline"] not in {run.method for run in done}:
        raise InputError("the baseline is not trained yet", work, "run without --trained-only")
    if settings["phantoms"]["test"] is None and not options.quick:
        raise InputError(
            "does not say which test phantoms", options.experiment, "fix the test phantoms before anything is scored"
        )

    tests = {"phantoms": load_datalist(phantoms, "testing")}
    if real:
        tests["nih"] = load_datalist(nih["score"], "testing", shared)
        tests["nihmass"] = load_datalist(make_nihmass(settings["nihmass"], shared, work), "testing", shared)
    inputs: Settings = {
        "experiment": options.experiment.stem,
        "quick": options.quick,
        "recipe": settings,
        "trained_on": {"sha256": data_hash, "with_nih": real, **_counts(training)},
        "weights_sha256": {run.name: weights_sha256(run.weights) for run in done},
        "missing": missing,
        "test_sha256": {name: data_sha256(items) for name, items in tests.items()},
    }

    def predictions(name: str) -> dict[str, list[Predictions]]:
        return predict_all(settings, done, tests[name], work / "predictions" / name)

    def score() -> Settings:
        starts = [first.start for first in map(first_cycle, done[:1]) if first.start]
        return {
            "training_minutes": {run.name: run.minutes() for run in [*starts, *done]},
            "training_machine": f"{os.cpu_count()} CPU cores, {options.parallel} trainings at a time",
            "relevance": {run.name: table for run in done if (table := relevance(run))},
            **score_all(settings, {name: predictions(name) for name in tests}, tests),
        }

    if record := write_once(inputs, options.output / f"{options.experiment.stem}.json", score):
        save_plots(record, predictions("phantoms"), options.output)
    if options.ship:
        ship({name: [run for run in done if run.method == name] for name in settings["methods"]}, settings["methods"])


def score_all(settings: Settings, predictions: dict[str, dict[str, list[Predictions]]], tests: Settings) -> Settings:
    """The figures of every test set."""
    baseline = settings["baseline"]
    phantoms = scored(predictions["phantoms"], PHANTOM_SKIP)
    out: Settings = {"phantoms": score_methods(phantoms, baseline)}
    out["claims"] = check_claims(settings["claims"], phantoms)
    if "nih" in tests:
        items = tests["nih"]
        number = np.array([int(i["patient_number"]) for i in items])
        view = np.array([i.get("view", "") for i in items])
        era = (number >= ERA[0]) & (number <= ERA[1])
        subsets = {"all": np.ones(len(items), bool), "era": era, "PA": view == "PA", "AP": view == "AP"}
        boxed = np.array([bool(i.get("boxes")) for i in items])
        on_boxes = {name: [p.subset(boxed) for p in seeds] for name, seeds in predictions["nih"].items()}
        out["nih"] = {
            "n_images": len(items),
            "opacity": {name: score_opacity(predictions["nih"], baseline, keep) for name, keep in subsets.items()},
            "boxes": score_methods(scored(on_boxes), baseline),
        }
        out["nihmass"] = {"boxes": score_methods(scored(predictions["nihmass"]), baseline)}
    return out


def config(run: Run) -> ConfigParser:
    """The configuration a run was trained with."""
    parser = ConfigParser()
    parser.read_config(run.config_files())
    parser["labels"] = list(LABELS)
    return parser


def network(run: Run) -> Any:
    """The network of a run with its best weights."""
    out = config(run).get_parsed_content("network_def")
    load_weights(out, run.weights)
    return out


def relevance(run: Run) -> dict[str, dict[str, float]]:
    """Layer relevance weights of a run: class -> stage -> weight; empty where its network has none."""
    trained = network(run)
    return trained.describe(LABELS)["layer_relevance"] if hasattr(trained, "describe") else {}


def predict_all(
    settings: Settings, runs: list[Run], items: list[dict[str, Any]], cache: Path
) -> dict[str, list[Predictions]]:
    """Predictions of every method and seed on some items, kept in ``cache`` under the hashes of all that matters."""
    cache.mkdir(parents=True, exist_ok=True)
    data = data_sha256(items)
    out: dict[str, list[Predictions]] = {}
    for name, method in settings["methods"].items():
        for run in [run for run in runs if run.method == method.get("weights_of", name)]:
            content = json.dumps([weights_sha256(run.weights), data, method.get("inferer")])
            path = cache / f"{name}-seed{run.seed}-{hashlib.sha256(content.encode()).hexdigest()[:16]}.npz"
            if not path.exists():
                inferer = _instance(method["inferer"]) if "inferer" in method else None
                dataset = Dataset(items, config(run).get_parsed_content("validate#preprocessing"))
                predict(network(run), dataset, list(LABELS), torch.device("cpu"), inferer=inferer).save(path)
            out.setdefault(name, []).append(Predictions.load(path))
    return out


def _instance(definition: Settings) -> Any:
    return ConfigParser({"object": definition}).get_parsed_content("object")


def _counts(datalist: Path) -> dict[str, int]:
    return {
        f"{section}_{source}": sum(i.get("source") == source for i in load_datalist(datalist, section))
        for section in ("training", "validation")
        for source in ("phantom", "nih")
    }
