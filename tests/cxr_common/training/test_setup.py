from __future__ import annotations

import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.localization import CamClassifier
from cxr_common.networks import save_weights
from cxr_common.training import load_initial_weights
from tests.cxr_common.networks.test_pretrained import torchvision_file


def make(seed):
    torch.manual_seed(seed)
    return CamClassifier(2, backbone="resnet18")


def test_without_files_a_network_stays_as_it_is():
    network, same = make(0), make(0)
    load_initial_weights(network)
    assert torch.equal(network.head.weight, same.head.weight)


def test_a_backbone_file_fills_the_backbone_only(tmp_path):
    source, network, untouched = make(0), make(1), make(1)
    torchvision_file(source.backbone, tmp_path / "imagenet.pth")
    load_initial_weights(network, tmp_path / "imagenet.pth")
    torch.testing.assert_close(network.backbone.layer1[0].conv1.weight, source.backbone.layer1[0].conv1.weight)
    assert torch.equal(network.head.weight, untouched.head.weight)


def test_whole_weights_fill_everything(tmp_path):
    source, network = make(0), make(1)
    save_weights(source, tmp_path / "model.pt")
    load_initial_weights(network, None, tmp_path / "model.pt")
    torch.testing.assert_close(network.head.weight, source.head.weight, atol=1e-3, rtol=1e-3)


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(InputError, match="no such weight file"):
        load_initial_weights(make(0), tmp_path / "none.pth")
