"""What experiments that compare localisers share: their runs, and what the trained networks do on the test sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from monai.bundle import ConfigParser
from monai.data import Dataset

from cxr_common.errors import InputError
from cxr_common.evaluation import Predictions, predict
from cxr_common.labels import LABELS
from cxr_common.networks import weights_sha256
from tools.repository import BUNDLES
from tools.results.options import Options
from tools.results.outcomes import Outcome, Outcomes
from tools.results.runs import Run, chosen, ship, train_all
from tools.results.score import Scored

Settings = dict[str, Any]
#: Test set, predictions over the shared labels -> predictions over the test set's own.
View = Callable[[str, Predictions], Predictions]


@dataclass(frozen=True)
class Experiment:
    """Methods trained with several seeds each, and scored on the same test sets.

    Attributes:
        settings: of the experiment, with "methods" and "baseline".
        runs: all that are planned.
        training: datalist that they learn from.
        data_hash: of what is in it.
        outcomes: what is known of them, and the test sets.
        view: how predictions on a test set are looked at.
    """

    settings: Settings
    runs: list[Run]
    training: Path
    data_hash: str
    outcomes: Outcomes
    view: View = lambda test, found: found

    def is_known(self, run: Run) -> bool:
        """Whether all that is shown of a run is known: it need not be trained, even where its weights are gone."""
        made = shown(self.settings, run, run.recipe(self.data_hash))
        return all(self.outcomes.load(f"{name}-seed{run.seed}", key) for name, key in made.items())

    def train(self, options: Options) -> None:
        """Train what is not known, of the runs that the options name.

        Raises:
            InputError: they name one that there is not.
        """
        names = {run.method for run in self.runs} | {run.name for run in self.runs}
        wanted = set(chosen(sorted(names), options.only, options.experiment))
        unknown = [run for run in self.runs if {run.method, run.name} & wanted and not self.is_known(run)]
        train_all([(run, self.training, self.data_hash) for run in unknown], options.parallel)

    def measure(self) -> Measured:
        """What all networks did that are trained or known.

        Raises:
            InputError: the baseline is not among them.
        """
        done = [run for run in self.runs if run.is_done(self.data_hash) or self.is_known(run)]
        if self.settings["baseline"] not in {run.method for run in done}:
            raise InputError("the baseline is not trained yet", self.training.parent, "run without --trained-only")
        found = measure_all(self.settings, done, self.data_hash, self.outcomes, self.view)
        return Measured(done, [run.name for run in self.runs if run not in done], found)

    def ship(self, into: str = "models") -> None:
        """Put weights and thresholds of the trained methods that say so into their bundles.

        Raises:
            InputError: none of them is trained here.
        """
        best = [run.best_cycle() for run in self.runs if run.is_done(self.data_hash)]
        methods = self.settings["methods"]
        ship({name: [run for run in best if run.method == name] for name in methods}, methods, into)


@dataclass(frozen=True)
class Measured:
    """What networks did on the test sets.

    Attributes:
        done: the runs that are trained or known.
        missing: names of the others.
        found: method -> seed -> outcome.
    """

    done: list[Run]
    missing: list[str]
    found: dict[str, dict[int, Outcome]]

    def inputs(self) -> Settings:
        """What the result file says of the runs."""
        hashes = {run.name: self.found[run.method][run.seed].weights_sha256 for run in self.done}
        return {"weights_sha256": hashes, "missing": self.missing}

    def scored(self, test: str) -> dict[str, dict[int, Scored]]:
        """Method -> seed -> what its network did on a test set."""
        return {name: {seed: one.scored[test] for seed, one in seeds.items()} for name, seeds in self.found.items()}

    def trainings(self) -> Settings:
        """What is reported of the trainings."""
        about = {run.name: self.found[run.method][run.seed].about for run in self.done}
        return {
            "training_minutes": {name: one["minutes"] for name, one in about.items()},
            "training_machine": "; ".join(sorted({one["machine"] for one in about.values()})),
            "relevance": {name: one["relevance"] for name, one in about.items() if one["relevance"]},
        }

    def heatmaps(self) -> dict[str, Any]:
        """Method -> heatmaps of its first seed for the gallery."""
        return {name: next(iter(seeds.values())).gallery for name, seeds in self.found.items()}


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
        bundle = BUNDLES / name
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
                overrides = {**cycle, **method.get("overrides", {})}  # a method may change what the cycle says
                folder = work / "runs" / f"{name}-seed{seed}-cycle{number}"
                run = Run(name, seed, bundle, configs, overrides, folder, run, start if run is None else None)
            runs.append((place, run))
    return [run for _, run in sorted(runs, key=lambda pair: pair[0]) if run]


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


def relevance(run: Run) -> dict[str, dict[str, float]]:
    """Layer relevance weights of a run: class -> stage -> weight; empty where its network has none."""
    trained = run.network()
    return trained.describe(LABELS)["layer_relevance"] if hasattr(trained, "describe") else {}
