"""The wheels: what is in them, the same bytes each time, and cxr-verify in an environment without torch."""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.cxr_verify import shapes
from tools.release.wheels import build_wheels
from tools.repository import REPOSITORY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    return build_wheels(REPOSITORY, tmp_path_factory.mktemp("wheels"))


def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def packages(wheel):
    return {name.partition("/")[0] for name in names(wheel) if ".dist-info/" not in name}


def test_each_holds_its_packages_and_nothing_else(wheels):
    whole, alone = wheels
    assert packages(whole) == {"cxr_common", "cxr_tools", "cxr_verify"}
    assert packages(alone) == {"cxr_verify"}
    assert {name for name in names(whole) if name.startswith("cxr_verify/")} == {
        name for name in names(alone) if name.startswith("cxr_verify/")
    }
    assert any(name.endswith("schemas/meta_schema_20240725.json") for name in names(alone))
    assert all(any(name.endswith("licenses/LICENSE") for name in names(wheel)) for wheel in wheels)


def test_the_same_bytes_each_time(wheels, tmp_path):
    again = build_wheels(REPOSITORY, tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in wheels]


def needed(requirements):
    """Installed distributions that requirements ask for, and what these ask for."""
    found, waiting = {}, list(requirements)
    while waiting:
        wanted = Requirement(waiting.pop())
        name = canonicalize_name(wanted.name)
        if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found[name] = distribution(wanted.name)
            waiting += found[name].requires or ()
    return found.values()


@pytest.fixture(scope="module")
def python(wheels, tmp_path_factory):
    """Python of a fresh environment with cxr-verify and what it requires, copied, since a test fetches nothing."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True, symlinks=True)
    python = next(folder.glob("[bS]*/python*"))
    words = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheels[1])]
    subprocess.run([python, *words], check=True)
    ask = [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"]
    site = subprocess.run(ask, check=True, capture_output=True, text=True).stdout.strip()
    with zipfile.ZipFile(wheels[1]) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        lines = archive.read(name).decode().splitlines()
    for found in needed(line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")):
        for file in found.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = Path(site, *file.parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found.locate_file(file), target)
    return python


def run(python, *words, status=0):
    done = subprocess.run(
        [python, *map(str, words)], cwd=python.parent, env={"PATH": "/usr/bin"}, capture_output=True, text=True
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_its_requirements_are_all_that_it_needs_to_start(python):
    run(python, "-m", "pip", "check")
    run(python, "-c", "import importlib.util as u; assert not u.find_spec('torch') and not u.find_spec('cxr_common')")
    assert "usage: cxr-verify" in run(python.parent / "cxr-verify", "--help")


def test_it_checks_files_and_says_what_it_cannot_check(python, tmp_path):
    bundle = shapes.spleen(tmp_path)
    (checked,) = json.loads(run(python.parent / "cxr-verify", bundle, "--json", "-"))
    found = {check["id"]: (check["status"], check["note"]) for check in checked["checks"]}
    assert found["files.layout"][0] == found["metadata.schema"][0] == found["configs.references"][0] == "pass"
    for name in ("network.builds", "weights.safe", "configs.infer_ids"):
        assert found[name] == ("skipped", "needs torch and monai: pip install 'cxr-verify[run]'")
    (bundle / "LICENSE").unlink()
    run(python.parent / "cxr-verify", bundle, status=1)
