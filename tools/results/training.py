"""Training what an experiment plans, and shipping what came of it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import yaml

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256
from cxr_common.files import replacing, write_json
from tools.results.runs import Run
from tools.workflow import workflow_command


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


def shipped(run: Run) -> list[Run]:
    """A run as its bundle holds it: weights and thresholds, no log; nothing where the bundle has no weights."""
    held = replace(run, folder=run.bundle / "models")
    return [held] if held.weights.exists() else []


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
