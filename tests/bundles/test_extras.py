"""Inference needs none of the packages that only training and pages need."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import tomllib

from cxr_common.data.phantom import make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY

#: Packages of the extras "train" and "report" -> what Python calls them.
EXTRAS = {"tensorboard": "tensorboard", "matplotlib": "matplotlib", "scikit-image": "skimage"}
#: ``python -m monai.bundle`` where these cannot be imported.
WITHOUT = f"""
import runpy, sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {list(EXTRAS.values())}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
sys.argv[0] = "monai.bundle"
runpy.run_module("monai.bundle", run_name="__main__")
"""


def run(bundle, config, folder, *options):
    command = [sys.executable, "-c", WITHOUT, "run", "--config_file", str(bundle / "configs" / config)]
    command += ["--bundle_root", str(bundle), "--output_dir", str(folder / "out"), *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "common")}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)


def test_extras_are_those_of_the_distribution():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for name in ("train", "report") for line in project["optional-dependencies"][name]]
    assert {re.split(r"[>=]", line)[0] for line in extras} == set(EXTRAS)
    assert not set(EXTRAS) & {re.split(r"[>=\[]", line)[0] for line in project["dependencies"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", BUNDLES)
def test_inference_needs_no_extra(name, tmp_path):
    (tmp_path / "in").mkdir()
    write_dicom(make_phantom(3, 0), tmp_path / "in" / "a.dcm")
    done = run(REPOSITORY / "bundles" / name, "inference.json", tmp_path, "--dataset_dir", str(tmp_path / "in"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 image(s) done, 0 failed" in done.stdout


def test_training_without_them_ends_with_one_line(tmp_path):
    done = run(REPOSITORY / "bundles" / "cxr_pylon_localization", "train.yaml", tmp_path)
    assert done.returncode != 0
    assert "error: training needs tensorboard, which is not installed; pip install tensorboard" in done.stderr
    assert "Traceback" not in done.stderr and not (tmp_path / "out").exists()
