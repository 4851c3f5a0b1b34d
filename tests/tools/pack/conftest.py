"""All bundles packed and unpacked, and a Python that may know nothing of this repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cxr_common.data.phantom import PhantomConfig
from cxr_tools.make_phantoms import make_data_set
from tools.pack.__main__ import main

#: `make test-pack` names that of an environment with metadata's packages alone.
PYTHON = os.environ.get("PACK_PYTHON", sys.executable)


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """The folder that `make pack` writes."""
    folder = tmp_path_factory.mktemp("pack") / "dist"
    assert main(["--output", str(folder), "--source", "https://host.example/bundles"]) == 0
    return folder


@pytest.fixture(scope="session")
def unpacked(dist, tmp_path_factory):
    """A folder with every bundle, as it comes out of its zip."""
    folder = tmp_path_factory.mktemp("unpacked")
    for path in sorted(dist.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)
    return folder


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """A tiny data set: 16 phantoms to train on, 8 to validate, 8 to test, 64 pixels wide; every class is present."""
    folder = tmp_path_factory.mktemp("data") / "phantoms"
    make_data_set(folder, {"training": 16, "validation": 8, "testing": 8}, 5, PhantomConfig(size=64), workers=1)
    content = json.loads((folder / "datalist.json").read_text(encoding="utf-8"))
    for number, item in enumerate(content["training"]):
        item["label"][number % len(content["labels"])] = 1
    (folder / "datalist.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture
def python(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run that Python in a foreign, empty folder; `path` is put on its search path, of which it has nothing else."""

    def run(*words: object, path: Path | None = None, status: int = 0) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        environment = kept | {"OMP_NUM_THREADS": "1"} | ({"PYTHONPATH": str(path)} if path else {})
        foreign = tmp_path / "foreign"
        foreign.mkdir(exist_ok=True)
        done = subprocess.run(
            [PYTHON, *map(str, words)], cwd=foreign, env=environment, capture_output=True, text=True, timeout=900
        )
        assert done.returncode == status, (done.stdout[-1000:] + done.stderr)[-3000:]
        return done

    return run
