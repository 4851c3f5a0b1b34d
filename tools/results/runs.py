"""Training runs of an experiment: each one a bundle's own training, cached by what went into it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cxr_common.errors import InputError
from cxr_common.evaluation import write_json


@dataclass(frozen=True)
class Run:
    """One network trained with one seed.

    Attributes:
        method: name in the experiment file.
        seed: of weights, order and augmentation.
        overrides: config entries that differ from the bundle's training configs.
        folder: where its files go.
    """

    method: str
    seed: int
    overrides: dict[str, Any]
    folder: Path

    @property
    def weights(self) -> Path:
        """Best weights of the run."""
        return self.folder / "model.pt"

    def minutes(self) -> float:
        """Wall-clock minutes of training; of a resumed run only its last part."""
        return float(json.loads((self.folder / "run.json").read_text(encoding="utf-8"))["minutes"])


def recipe_hash(run: Run, configs: list[Path], data_hash: str) -> str:
    """What must be equal for a finished run to be used again: configs (not comments), overrides, seed and data."""
    parts: list[Any] = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in configs]
    parts += [run.overrides, run.seed, data_hash]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def train(run: Run, bundle: Path, configs: list[Path], datalist: Path, data_hash: str, threads: int) -> None:
    """Train a run with ``python -m monai.bundle run``, unless it is done; a killed one resumes from its checkpoint.

    Raises:
        InputError: when the training fails; names its log.
    """
    recipe = recipe_hash(run, configs, data_hash)
    done, started = run.folder / "run.json", run.folder / "recipe.txt"
    if done.exists() and json.loads(done.read_text())["recipe"] == recipe:
        return
    run.folder.mkdir(parents=True, exist_ok=True)
    if started.exists() and started.read_text() != recipe:
        raise InputError("holds a run of another recipe", run.folder, "delete it, or choose another work folder")
    started.write_text(recipe)
    overlay = run.folder / "overrides.yaml"
    overlay.write_text(yaml.safe_dump({"seed": run.seed, **run.overrides}))
    files = ",".join(f"'{path}'" for path in [*configs, overlay])
    command = [sys.executable, "-m", "monai.bundle", "run", "--config_file", f"[{files}]"]
    command += ["--bundle_root", str(bundle), "--datalist", str(datalist), "--dataset_dir", str(datalist.parent)]
    command += ["--output_dir", str(run.folder)]
    begin = time.monotonic()
    with open(run.folder / "log.txt", "a") as log:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        status = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, env=environment).returncode
    if status:
        raise InputError(f"training ended with status {status}", run.folder / "log.txt", "read the end of this log")
    minutes = (time.monotonic() - begin) / 60
    write_json({"recipe": recipe, "method": run.method, "seed": run.seed, "minutes": minutes, "threads": threads}, done)


def train_all(runs: list[Run], parallel: int, **options: Any) -> None:
    """Train several runs at a time, the cores divided among them."""
    threads = max(1, (os.cpu_count() or 1) // parallel)
    with ThreadPoolExecutor(parallel) as pool:
        for future in [pool.submit(train, run, threads=threads, **options) for run in runs]:
            future.result()
