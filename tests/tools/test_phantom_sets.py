from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from cxr_common.data import load_datalist
from cxr_common.data.phantom.set_identity import identity
from cxr_common.errors import InputError
from tests.golden import REPOSITORY
from tools.phantom_sets import make_phantoms

SETTINGS = {"seed": 3, "size": 64, "training": 1, "validation": 1, "testing": 6, "config": {}, "test": None}


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "phantoms"
    make_phantoms(SETTINGS, folder)
    return folder, identity(load_datalist(folder / "datalist.json", "testing"))


def change(folder, pixels):
    """Add to the grey values of one test phantom; returns what undoes it."""
    path = next(folder.glob("images/testing*.png"))
    before = path.read_bytes()
    grey = np.array(Image.open(path))
    Image.fromarray(pixels(grey)).save(path)
    return lambda: path.write_bytes(before)


def test_the_same_phantoms_pass(phantoms):
    folder, known = phantoms
    assert make_phantoms({**SETTINGS, "test": known}, folder) == [folder / "datalist.json"]


def test_a_grey_level_rounded_the_other_way_is_the_same_phantom(phantoms):
    def one_level(grey):
        grey[30, 30] ^= 1
        return grey

    folder, known = phantoms
    undo = change(folder, one_level)
    bytes_differ = identity(load_datalist(folder / "datalist.json", "testing"))["mean"] - known["mean"]
    assert abs(bytes_differ) < 1e-6
    make_phantoms({**SETTINGS, "test": known}, folder)
    undo()


def test_other_pictures_are_refused(phantoms):
    folder, known = phantoms
    undo = change(folder, lambda grey: grey // 2 + 60)
    with pytest.raises(InputError, match="fixed with"):
        make_phantoms({**SETTINGS, "test": known}, folder)
    undo()


@pytest.mark.parametrize("change", [{"seed": 4}, {"size": 96}, {"config": {"contrast": 2.0}}, {"training": 2}])
def test_other_settings_are_refused(phantoms, change):
    """The sections that are learned from have no fixed identity, and trainings are known by the settings alone."""
    with pytest.raises(InputError, match="holds other phantoms"):
        make_phantoms({**SETTINGS, **change}, phantoms[0])


def test_another_generators_phantoms_are_refused(phantoms, monkeypatch):
    monkeypatch.setattr("tools.phantom_sets.GENERATOR_VERSION", -1)
    with pytest.raises(InputError, match="holds other phantoms"):
        make_phantoms(SETTINGS, phantoms[0])


def test_other_boxes_are_refused(phantoms):
    folder, known = phantoms
    datalist = folder / "datalist.json"
    content = json.loads(datalist.read_text())
    boxed = next(item for item in content["testing"] if item["boxes"])
    boxed["boxes"][0][0] -= 1
    before = datalist.read_text()
    datalist.write_text(json.dumps(content))
    with pytest.raises(InputError, match="fixed with"):
        make_phantoms({**SETTINGS, "test": known}, folder)
    datalist.write_text(before)


def test_the_experiment_names_its_test_phantoms():
    settings = yaml.safe_load((REPOSITORY / "tools" / "results" / "localization.yaml").read_text())["phantoms"]
    assert len(settings["test"]["sha256"]) == 64
    assert 0 < settings["test"]["mean"] < 1
