from __future__ import annotations

import pytest
import torch

from cxr_common.axes import picture_to_tensor, transpose_kernels
from cxr_common.errors import InputError
from cxr_common.localization import CamClassifier, Pylon
from cxr_common.networks import load_backbone, make_backbone, save_weights


def torchvision_file(backbone, path, in_channels=3):
    """Write a backbone's weights as torchvision would: its names, kernels on (row, column), colour stem, classifier."""
    dense = hasattr(backbone, "denseblock1")
    state = {}
    for key, value in backbone.state_dict().items():
        value = picture_to_tensor(value) if value.ndim == 4 else value
        if key in ("conv1.weight", "conv0.weight"):
            # Weights over colour that sum to one: 0.5, 0.3, 0.2.
            value = torch.cat([value * w for w in (0.5, 0.3, 0.2)], 1)
        state[f"features.{key.replace('.layers.', '.')}" if dense else key] = value.contiguous()
    state["classifier.weight" if dense else "fc.weight"] = torch.zeros(1000, backbone.channels[-1])
    torch.save(state, path)


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "densenet121"])
def test_imagenet_layout_loads_with_the_stem_summed(name, tmp_path):
    torch.manual_seed(0)
    source = make_backbone(name).eval()
    torchvision_file(source, tmp_path / "imagenet.pth")
    torch.manual_seed(1)
    target = make_backbone(name).eval()
    load_backbone(target, tmp_path / "imagenet.pth")
    x = torch.randn(1, 1, 64, 80)
    with torch.no_grad():
        for a, b in zip(source(x), target(x)):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


def test_another_networks_file_is_refused(tmp_path):
    torchvision_file(make_backbone("resnet18"), tmp_path / "r18.pth")
    with pytest.raises(InputError, match="missing"):
        load_backbone(make_backbone("resnet50"), tmp_path / "r18.pth")


@pytest.mark.parametrize(("name", "ramp"), [("resnet18", 0), ("resnet18", 5), ("densenet121", 0)])
def test_a_backbone_is_taken_from_another_network_of_the_collection(name, ramp, tmp_path):
    torch.manual_seed(0)
    classifier = CamClassifier(2, backbone=name, dropblock_prob=0.2, dropblock_ramp=ramp)
    save_weights(classifier, tmp_path / "model.pt")
    target = Pylon(3, backbone=name)
    load_backbone(target.backbone, tmp_path / "model.pt")
    expected = classifier.backbone.state_dict()
    for key, value in target.backbone.state_dict().items():
        torch.testing.assert_close(value, expected[key], atol=1e-3, rtol=1e-3)  # stored in half precision


@pytest.mark.parametrize("head", ["classifier.0.weight", "aux_classifier.0.weight", "decode_head.conv.weight"])
def test_another_programs_network_is_refused(head, tmp_path):
    """Its "backbone." is read with kernels on (row, column), which would fit and be wrong."""
    source = make_backbone("resnet18", in_channels=3)
    state = {f"backbone.{name}": value for name, value in transpose_kernels(source.state_dict()).items()}
    torch.save({**state, head: torch.ones(2, 2, 1, 1)}, tmp_path / "foreign.pth")
    with pytest.raises(InputError, match="another program's"):
        load_backbone(make_backbone("resnet18", in_channels=3), tmp_path / "foreign.pth")


def test_a_stem_that_is_no_kernel_is_refused(tmp_path):
    state = make_backbone("resnet18").state_dict() | {"conv1.weight": torch.zeros(3)}
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(InputError, match="wrong shape"):
        load_backbone(make_backbone("resnet18"), tmp_path / "odd.pth")
