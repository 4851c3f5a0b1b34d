"""The scripts of docs/how-to/cluster.md, with two processes or two machines inside this one: `make test-ray`."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch

from cxr_tools.make_phantoms import main as make_phantoms
from tests.cxr_tools.archive.machines import MACHINES, needs_machines, srun_on
from tests.golden import REPOSITORY

SCRIPTS = REPOSITORY / "docs" / "how-to" / "cluster"
BUNDLE = REPOSITORY / "bundles" / "cxr_pylon_localization"
SMALL = {"spatial_size": "[64,64]", "batch_size": "4", "max_epochs": "1"}
#: Slurm's srun, as far as the scripts use it: every "machine" is this one.
SRUN_HERE = (
    '#!/bin/bash\nfor _ in $(seq "$SLURM_NNODES"); do "$@" & jobs+=($!); done\n'
    'for job in "${jobs[@]}"; do wait "$job" || exit 1; done\n'
)


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(
        [
            "--output",
            str(folder),
            "--training",
            "16",
            "--validation",
            "8",
            "--size",
            "64",
            "--no-masks",
            "--workers",
            "1",
        ]
    )
    return folder


def slurm(folder, srun, hosts):
    """The environment of a job on two machines, with stand-ins for Slurm's programs."""
    (folder / "bin").mkdir()
    for name, text in {"srun": srun, "scontrol": f"#!/bin/bash\nprintf '%s\\n' {' '.join(hosts)}\n"}.items():
        (folder / "bin" / name).write_text(text, encoding="utf-8")
        (folder / "bin" / name).chmod(0o755)
    job = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_NNODES": "2", "SLURM_JOB_NODELIST": ",".join(hosts)}
    paths = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    return {**os.environ, **paths, **job, "BIN": os.path.dirname(sys.executable), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def here_twice(tmp_path):
    return slurm(tmp_path, SRUN_HERE, ["localhost", "localhost"])


@pytest.fixture
def two_machines(tmp_path):
    with srun_on(tmp_path) as srun:
        yield {**slurm(tmp_path, srun, [*MACHINES.values()]), "SLURM_CPUS_PER_TASK": "2"}


def run(command, environment, status=0):
    for _ in range(4):
        done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, cwd=REPOSITORY)
        # Ray gives its helpers 15 seconds, which is too short on a busy machine.
        if done.returncode == status or "timed out during startup" not in done.stderr:
            break
    assert done.returncode == status, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


def iterations(output):
    """Steps of the training; each of two processes sees half of the images."""
    assert {"model.pt", "checkpoint.pt", "thresholds.json"} <= {path.name for path in output.iterdir()}
    return torch.load(output / "checkpoint.pt", weights_only=True)["iteration"]


def training_images(phantoms):
    return len(json.loads((phantoms / "datalist.json").read_text(encoding="utf-8"))["training"])


@pytest.mark.ray
@needs_machines
def test_slurm_looks_through_an_archive_on_two_machines(radiographs, two_machines, tmp_path):
    duckdb = pytest.importorskip("duckdb", reason="needs the extra ray")
    command = ["bash", SCRIPTS / "archive.sbatch", "--input", radiographs, "--output", tmp_path / "found"]
    said = run([*command, "--bundle", BUNDLE, "--rows", "2"], two_machines, status=1)  # of the broken file
    assert "6 image(s) done, 1 of them with an error" in said
    images = duckdb.sql(f"SELECT image FROM '{tmp_path}/found/results/*/*.parquet' ORDER BY image").fetchall()
    assert images == [(str(path),) for path in sorted(radiographs.iterdir())]


@pytest.mark.ray
def test_slurm_trains_on_two_machines(phantoms, here_twice, tmp_path):
    options = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    run(["bash", SCRIPTS / "train.sbatch", BUNDLE, phantoms, tmp_path / "run", *options], here_twice)
    assert iterations(tmp_path / "run") == training_images(phantoms) // (2 * 4)


@pytest.mark.ray
def test_ray_trains_with_two_processes(phantoms, here_twice, tmp_path):
    pytest.importorskip("ray.train.torch", reason="needs ray[train]")
    options = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    command = [sys.executable, SCRIPTS / "ray_train.py", "--bundle", BUNDLE, "--data", phantoms]
    run([*command, "--output", tmp_path / "run", *options], here_twice)
    assert iterations(tmp_path / "run") == training_images(phantoms) // (2 * 4)


@pytest.mark.parametrize("name", ["archive.sbatch", "train.sbatch"])
def test_scripts_are_bash(name):
    subprocess.run(["bash", "-n", SCRIPTS / name], check=True)
