from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from cxr_common.data.chest import inside_gate
from cxr_common.data.phantom import make_phantom
from cxr_common.errors import InputError
from cxr_common.transforms import FindChestd, LoadRadiographd
from cxr_common.transforms.find_chest import NO_LUNGS, read_lung_model
from tests.golden import REPOSITORY

WEIGHTS = REPOSITORY / "bundles" / "cxr_chexseg_segmentation" / "models" / "lungs" / "model.pt"
MEAN, STD = 0.498, 0.502


@pytest.fixture(scope="module")
def find():
    return FindChestd("image", WEIGHTS, MEAN, STD)


def normalised(path, picture):
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(path)
    item = LoadRadiographd("image")({"image": str(path)})
    return {**item, "image": (item["image"] - MEAN) / STD}


@pytest.fixture
def chest(tmp_path):
    phantom = make_phantom(5, 1, findings=())
    return normalised(tmp_path / "chest.png", phantom.image), phantom.anatomy


def test_lungs_and_heart_are_inside(find, chest):
    item, anatomy = chest
    before = item["image"].clone()
    out = find(item)
    assert out["gate"].isfinite().all() and torch.equal(out["image"], before)
    mass, heart = inside_gate(out["gate"], ["Mass", "Cardiomegaly"], item["image"].shape[1:])
    for part, within in (("left lung", mass), ("right lung", mass), ("heart", heart)):
        assert within.numpy().T[anatomy[part]].mean() > 0.98, part
    assert mass.float().mean() < 0.9
    assert NO_LUNGS not in out["image"].meta["warnings"]


def test_without_lungs_all_is_inside_and_a_warning_says_so(find, chest, monkeypatch):
    monkeypatch.setattr(find, "_lungs", lambda image: np.zeros((8, 8), bool))
    item, _ = chest
    item["image"].meta["warnings"] = "another"
    out = find(item)
    assert out["gate"].isnan().all()
    assert out["image"].meta["warnings"].splitlines() == ["another", NO_LUNGS]


def test_an_image_may_have_three_channels():
    find = FindChestd("image", WEIGHTS, [0.5, 0.4, 0.4], [0.2, 0.2, 0.2])
    assert find({"image": torch.zeros(3, 40, 30)})["gate"].shape == (5,)


def test_one_error_says_what_is_needed(tmp_path):
    with pytest.raises(InputError, match="no weights of the lung model.*fetch the bundle cxr_chexseg_segmentation"):
        FindChestd("image", tmp_path / "model.pt", 0, 1)
    shutil.copy(WEIGHTS, tmp_path)
    with pytest.raises(InputError, match="lie in no bundle.*leave them in the segmenter bundle's folder"):
        FindChestd("image", tmp_path / "model.pt", 0, 1)


@pytest.mark.parametrize("overlay", [True, False], ids=["overlay", "a bundle of before"])
def test_the_configs_beside_the_weights_say_which_network_they_are_of(tmp_path, overlay):
    bundle = WEIGHTS.parents[2]
    shutil.copytree(bundle / "configs", tmp_path / "configs")
    shutil.copytree(WEIGHTS.parent, tmp_path / "models" / "lungs")
    inference = tmp_path / "configs" / "inference.json"
    main = json.loads(inference.read_text()) | {"backbone": "efficientnet_lite0" if overlay else "resnet18"}
    inference.write_text(json.dumps(main | {"intensity_mean": 0.25}))
    if not overlay:
        (tmp_path / "configs" / "inference_lungs.json").unlink()
    parser, network, thresholds = read_lung_model(tmp_path / "models" / "lungs" / "model.pt")
    assert parser["intensity_mean"] == (0.4984 if overlay else 0.25)
    assert network.eval()(torch.zeros(1, 1, 128, 128)).shape == (1, 1, 128, 128)
    assert list(thresholds.labels) == ["Lungs"]
