"""Trainings of bundles, each with one seed and known by what went into it: one that is done is not done again."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from monai.bundle import ConfigParser

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.files import write_json
from cxr_common.labels import LABELS
from cxr_common.networks import load_weights, weights_sha256
from cxr_common.networks.lite_weights import installed_lite_weights
from cxr_common.networks.pretrained import IMAGENET
from cxr_tools.workflow import run_workflow, workflow_command
from tools.moved_code import without_modules

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
        """Hash of what must be equal for a finished run to be used again.

        Configs (not comments, nor in which module a name is defined), seed, data and the content of the file that the
        backbone starts from.
        """
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
        """Minutes of training by its log, epoch by epoch, so also of a run that was stopped and resumed.

        Cycles before it are in it; starting up and filling the cache are not.
        """
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
    begin, log = time.monotonic(), run.folder / "log.txt"
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    status, reason = run_workflow(command, log, append=True, environment=environment)
    if status:
        raise InputError(f"training ended with status {status}", log, reason or "read the end of this log")
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


def first_cycle(run: Run) -> Run:
    """The first cycle of a run."""
    return first_cycle(run.previous) if run.previous else run
