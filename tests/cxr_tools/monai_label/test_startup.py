"""Which bundles the MONAI Label app serves, and what it says before it starts. This part of it needs no MONAI Label."""

from __future__ import annotations

import runpy
import shutil

import pytest

from tests.bundles.conftest import BUNDLES
from tests.golden import REPOSITORY

APP = REPOSITORY / "common" / "cxr_tools" / "monai_label" / "app"
check_bundles = runpy.run_path(str(APP / "cxr_label" / "startup.py"))["check_bundles"]


@pytest.fixture
def folder(tmp_path):
    """The app's folder `model` with all that is looked at, of every bundle."""
    for name in BUNDLES:
        source, target = REPOSITORY / "bundles" / name, tmp_path / name
        shutil.copytree(source / "configs", target / "configs")
        (target / "models").mkdir()
        (target / "models" / "model.pt").touch()
        shutil.copy(source / "models" / "thresholds.json", target / "models")
    return tmp_path


def test_every_bundle_is_listed(folder):
    found = check_bundles(folder, "")
    assert found == {name: folder / name for name in sorted(BUNDLES)}
    assert "cxr_pcam_localization" in found


def test_some_can_be_named(folder):
    assert list(check_bundles(folder, " cxr_pcam_localization, cxr_oxnet_detection ")) == [
        "cxr_pcam_localization",
        "cxr_oxnet_detection",
    ]


@pytest.mark.parametrize("file", ["configs/inference.json", "models/model.pt", "models/thresholds.json"])
def test_a_file_that_is_missing_is_named(folder, file):
    (folder / "cxr_pcam_localization" / file).unlink()
    with pytest.raises(SystemExit, match=f"cxr_pcam_localization: there is no {file}; unzip the bundle"):
        check_bundles(folder, "")


def test_the_refinement_wants_its_localiser(folder):
    shutil.rmtree(folder / "cxr_pylon_localization")
    with pytest.raises(SystemExit, match="takes heatmaps from cxr_pylon_localization; unzip that bundle"):
        check_bundles(folder, "cxr_irn_refinement")


def test_an_empty_folder(tmp_path):
    with pytest.raises(SystemExit, match="there is no bundle; unzip one there"):
        check_bundles(tmp_path, "")
