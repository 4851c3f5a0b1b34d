"""Training runs of an experiment: each one a bundle's own training, cached by what went into it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from monai.bundle import ConfigParser

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.files import replacing, write_json
from cxr_common.labels import LABELS
from cxr_common.networks import load_weights, weights_sha256
from cxr_common.networks.lite_weights import installed_lite_weights
from cxr_common.networks.pretrained import IMAGENET
from tools.repository import BUNDLES
from tools.results.moved_code import without_modules
from tools.workflow import workflow_command

_EPOCH = re.compile(r"Trainer - INFO - Epoch\[(\d+)\] Complete\. Time taken: (\d+):(\d+):([\d.]+)")


@dataclass(frozen=True)
class Run:
    """One network trained with one seed.

    Attributes:
        method: name in the experiment file.
        seed: of weights, order and augmentation.
        bundle: folder of the bundle whose training it is.
        configs: that bundle's config files, in order.
        overrides: config entries that differ from them.
        folder: where its files go.
        previous: the run whose best weights this one starts from, if any.
        start: the run whose best backbone this one starts from, if any; of a first cycle.
    """

    method: str
    seed: int
    bundle: Path
    configs: tuple[Path, ...]
    overrides: dict[str, Any]
    folder: Path
    previous: Run | None = None
    start: Run | None = None

    @property
    def name(self) -> str:
        """``method-seedN``."""
        return f"{self.method}-seed{self.seed}"

    @property
    def weights(self) -> Path:
        """Best weights of the run."""
        return self.folder / "model.pt"

    def recipe(self, data_hash: str) -> str:
        """Hash of what must be equal for a finished run to be used again: configs (not comments, nor in which module a
        name is defined), seed, data and the content of the file that the backbone starts from."""
        parts: list[Any] = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in self.configs]
        parts += [self.overrides, self.seed, data_hash]
        if backbone := self.backbone_weights():
            parts.append(weights_sha256(backbone))
        parts += [run.recipe(data_hash) for run in (self.previous, self.start) if run]
        return hashlib.sha256(json.dumps(without_modules(parts), sort_keys=True).encode()).hexdigest()

    def config(self, labels: Sequence[str] = LABELS) -> ConfigParser:
        """The configuration it is trained with, for data of these classes."""
        parser = ConfigParser()
        parser.read_config(self.configs)
        parser.update({**self.overrides, "bundle_root": str(self.bundle), "labels": list(labels)})
        return parser

    def network(self, labels: Sequence[str] = LABELS) -> Any:
        """Its network with its best weights."""
        out = self.config(labels).get_parsed_content("network_def")
        load_weights(out, self.weights)
        return out

    def backbone_weights(self) -> Path | None:
        """The file that the configs name for the backbone to start from, if any."""
        parser = self.config()
        given = parser.get_parsed_content("backbone_weights") if parser.get("backbone_weights") else None
        if given == IMAGENET:
            return installed_lite_weights(parser.get_parsed_content("backbone"))
        return Path(given) if given else None

    def is_done(self, data_hash: str) -> bool:
        """Whether it was trained to the end, with this recipe."""
        done = self.folder / "run.json"
        return done.exists() and json.loads(done.read_text(encoding="utf-8"))["recipe"] == self.recipe(data_hash)

    def validation_loss(self) -> float:
        """Lowest validation loss, that of the best weights."""
        return float(torch.load(self.folder / "checkpoint.pt", map_location="cpu", weights_only=True)["best_metric"])

    def best_cycle(self) -> Run:
        """Of this run and those before it, the one whose best weights have the lowest validation loss."""
        if self.previous is None:
            return self
        return min((self.previous.best_cycle(), self), key=Run.validation_loss)

    def minutes(self) -> float:
        """Minutes of training by its log, epoch by epoch, so also of a run that was stopped and resumed; with cycles
        before it. Starting up and filling the cache are not in it."""
        text = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        epochs = {int(n): (int(h), int(m), float(s)) for n, h, m, s in _EPOCH.findall(text)}
        own = sum(60 * h + m + s / 60 for h, m, s in epochs.values())
        return own + (self.previous.minutes() if self.previous else 0)

    def machine(self) -> str:
        """What it was trained on."""
        done = json.loads((self.folder / "run.json").read_text(encoding="utf-8"))
        return done.get("gpu") or f"{os.cpu_count()} CPU cores, {done['threads']} to a training"

    def config_files(self) -> list[Path]:
        """Everything the bundle is configured with, the overlay of this run last."""
        return [*self.configs, self.folder / "overrides.yaml"]


def seed_runs(
    name: str, settings: Mapping[str, Any], overrides: Mapping[str, Any], seeds: Sequence[int], work: Path
) -> list[Run]:
    """Trainings of one method by the experiment's bundle and configs, a seed each.

    Args:
        name: of the runs and of their folders below ``work/runs``.
        settings: of the experiment, with "bundle", "configs" and "overrides".
        overrides: the method's own.
        seeds: of the trainings.
        work: folder of everything.
    """
    bundle = BUNDLES / settings["bundle"]
    configs = tuple(bundle / "configs" / config for config in settings["configs"])
    both = {**settings["overrides"], **overrides}
    return [Run(name, seed, bundle, configs, both, work / "runs" / f"{name}-seed{seed}") for seed in seeds]


def training_hash(datalist: Path, masks: bool = False) -> str:
    """Hash of what is trained on and of what chooses epoch and thresholds."""
    parts = (data_sha256(load_datalist(datalist, s, require=()), masks) for s in ("training", "validation"))
    return hashlib.sha256("".join(parts).encode()).hexdigest()


def train(run: Run, datalist: Path, data_hash: str, threads: int) -> None:
    """Train a run with ``python -m monai.bundle run``, unless it is done; a killed one resumes from its checkpoint.

    Raises:
        InputError: when the training fails; names its log.
    """
    if run.previous:
        train(run.previous, datalist, data_hash, threads)
    if run.is_done(data_hash):
        return
    recipe = run.recipe(data_hash)
    run.folder.mkdir(parents=True, exist_ok=True)
    started = run.folder / "recipe.txt"
    if started.exists() and started.read_text() != recipe:
        raise InputError("holds a run of another recipe", run.folder, "delete it, or choose another work folder")
    started.write_text(recipe)
    start = {"initial_weights": str(run.previous.weights)} if run.previous else {}
    start |= {"backbone_weights": str(run.start.weights)} if run.start else {}
    (run.folder / "overrides.yaml").write_text(yaml.safe_dump({"seed": run.seed, **start, **run.overrides}))
    options = {"datalist": datalist, "dataset_dir": datalist.parent, "output_dir": run.folder}
    command = workflow_command(run.bundle, run.config_files(), options)
    begin = time.monotonic()
    with open(run.folder / "log.txt", "a") as log:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment).returncode
    if status:
        raise InputError(f"training ended with status {status}", run.folder / "log.txt", "read the end of this log")
    minutes = (time.monotonic() - begin) / 60
    record = {"recipe": recipe, "method": run.method, "seed": run.seed, "minutes": minutes, "threads": threads}
    if torch.cuda.is_available():
        record["gpu"] = torch.cuda.get_device_name()
    write_json(record, run.folder / "run.json")


#: A run, its datalist and the hash of what is in it.
Job = tuple[Run, Path, str]


def train_all(jobs: Sequence[Job], parallel: int) -> None:
    """Train several runs at a time, the cores divided among them; first, alone, what several of them start from."""
    cores = os.cpu_count() or 1
    threads = max(1, cores // min(parallel, max(1, len(jobs))))
    starts = {}
    for run, datalist, data_hash in jobs:
        if start := first_cycle(run).start:
            starts[start.folder] = (start, datalist, data_hash)
    for job in starts.values():
        train(*job, cores)
    with ThreadPoolExecutor(parallel) as pool:
        for future in [pool.submit(train, *job, threads) for job in jobs]:
            future.result()


def chosen(methods: Sequence[str], only: Sequence[str] | None, experiment: Path) -> list[str]:
    """The methods that `only` names; all where it is None.

    Raises:
        InputError: it names one that there is not.
    """
    if unknown := {*(only or [])} - {*methods}:
        raise InputError(f"no such method: {', '.join(sorted(unknown))}", "--only", f"see {experiment}")
    return [name for name in methods if not only or name in only]


def trained(runs: Mapping[str, Sequence[Run]], data_hashes: Mapping[str, str]) -> dict[str, list[Run]]:
    """Method -> its runs that were trained to the end, of the methods that have one."""
    done = {name: [run for run in seeds if run.is_done(data_hashes[name])] for name, seeds in runs.items()}
    return {name: seeds for name, seeds in done.items() if seeds}


def finished(runs: Mapping[str, Sequence[Run]], data_hashes: Mapping[str, str], work: Path) -> dict[str, list[Run]]:
    """What :func:`trained` gives, if there is anything.

    Raises:
        InputError: no method has one.
    """
    done = trained(runs, data_hashes)
    if not done:
        raise InputError("nothing is trained yet", work, "run without --trained-only")
    return done


def shipped(run: Run) -> list[Run]:
    """A run as its bundle holds it: weights and thresholds, no log; nothing where the bundle has no weights."""
    held = replace(run, folder=run.bundle / "models")
    return [held] if held.weights.exists() else []


def minutes(runs: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    """Name -> minutes of training, of the runs that have a log here."""
    logged = [run for seeds in runs.values() for run in seeds if (run.folder / "log.txt").exists()]
    return {run.name: run.minutes() for run in logged}


def ship(runs: Mapping[str, Sequence[Run]], methods: Mapping[str, Mapping[str, Any]], into: str = "models") -> None:
    """Copy weights and thresholds of the methods whose settings say "ships", first seed, into their bundles.

    Args:
        runs: method -> its runs.
        methods: of the settings.
        into: folder below the bundle, where "ships" names none itself.

    Raises:
        InputError: there is nothing to ship: no such method's first seed is trained here.
    """
    first = {name: method.get("seeds", [0])[0] for name, method in methods.items() if method.get("ships")}
    chosen = {name: [run for run in runs.get(name, []) if run.seed == seed] for name, seed in first.items()}
    if not any(chosen.values()):
        raise InputError(f"no first seed of {', '.join(first)} is trained here", "--ship", "train it first")
    for name, own in chosen.items():
        where = methods[name]["ships"]
        for run in own:
            folder = run.bundle / (where if isinstance(where, str) else into)
            for file in ("model.pt", "thresholds.json"):
                with replacing(folder / file) as temporary:
                    shutil.copyfile(run.folder / file, temporary)


def first_cycle(run: Run) -> Run:
    """The first cycle of a run."""
    return first_cycle(run.previous) if run.previous else run
