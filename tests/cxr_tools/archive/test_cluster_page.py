"""The scripts of docs/how-to/cluster.md, with two processes on this machine: `make test-ray`."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from cxr_tools.make_phantoms import main as make_phantoms
from tests.golden import REPOSITORY

SCRIPTS = REPOSITORY / "docs" / "how-to" / "cluster"
BUNDLE = REPOSITORY / "bundles" / "cxr_pylon_localization"
SMALL = {"spatial_size": "[64,64]", "batch_size": "4", "max_epochs": "1"}
#: Slurm's programs, as far as the scripts use them: every "machine" is this one.
STAND_INS = {
    "scontrol": "#!/bin/bash\nprintf 'localhost\\nlocalhost\\n'\n",
    "srun": '#!/bin/bash\nfor _ in $(seq "$SLURM_NNODES"); do "$@" & jobs+=($!); done\n'
    'for job in "${jobs[@]}"; do wait "$job" || exit 1; done\n',
}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantoms")
    make_phantoms(["--output", str(folder), "--count", "24", "--size", "64", "--no-masks", "--workers", "1"])
    return folder


@pytest.fixture
def slurm(tmp_path):
    """The environment of a job on two machines."""
    for name, text in STAND_INS.items():
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).write_text(text, encoding="utf-8")
        (tmp_path / "bin" / name).chmod(0o755)
    job = {"SLURM_JOB_ID": str(os.getpid()), "SLURM_NNODES": "2", "SLURM_JOB_NODELIST": "here,here"}
    paths = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "PYTHONPATH": os.pathsep.join(sys.path)}
    return {**os.environ, **paths, **job, "BIN": os.path.dirname(sys.executable), "OMP_NUM_THREADS": "1"}


def run(command, environment):
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True, cwd=REPOSITORY)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]


def iterations(output):
    """Steps of the training; each of two processes sees half of the images."""
    assert {"model.pt", "checkpoint.pt", "thresholds.json"} <= {path.name for path in output.iterdir()}
    return torch.load(output / "checkpoint.pt", weights_only=True)["iteration"]


def training_images(phantoms):
    import json

    return len(json.loads((phantoms / "datalist.json").read_text(encoding="utf-8"))["training"])


@pytest.mark.ray
def test_slurm_trains_on_two_machines(phantoms, slurm, tmp_path):
    options = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    run(["bash", SCRIPTS / "train.sbatch", BUNDLE, phantoms, tmp_path / "run", *options], slurm)
    assert iterations(tmp_path / "run") == training_images(phantoms) // (2 * 4)


@pytest.mark.ray
def test_ray_trains_with_two_processes(phantoms, slurm, tmp_path):
    pytest.importorskip("ray.train.torch", reason="needs ray[train]")
    options = [word for name, value in SMALL.items() for word in (f"--{name}", value)]
    command = [sys.executable, SCRIPTS / "ray_train.py", "--bundle", BUNDLE, "--data", phantoms]
    run([*command, "--output", tmp_path / "run", *options], slurm)
    assert iterations(tmp_path / "run") == training_images(phantoms) // (2 * 4)


@pytest.mark.parametrize("name", ["archive.sbatch", "train.sbatch"])
def test_scripts_are_bash(name):
    subprocess.run(["bash", "-n", SCRIPTS / name], check=True)
