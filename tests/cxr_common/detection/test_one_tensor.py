from __future__ import annotations

import pytest
import torch

from cxr_common.detection import AnchorGrid, DetectionInferer, OneTensorRetinaNet, RetinaNet, read_one_tensor

SETTINGS = {"num_classes": 3, "backbone": "resnet18", "width": 16}


@pytest.fixture(scope="module")
def networks():
    torch.manual_seed(0)
    plain = RetinaNet(**SETTINGS).eval()
    torch.nn.init.normal_(plain.global_head.weight)
    torch.nn.init.normal_(plain.box_head[-1].weight, std=0.1)
    one = OneTensorRetinaNet(**SETTINGS).eval()
    one.load_state_dict(plain.state_dict(), strict=True)
    return plain, one


@pytest.mark.parametrize("size", [(64, 32), (32, 64), (128, 96)])
def test_nothing_is_lost_but_the_features(networks, size):
    plain, one = networks
    x = torch.rand(2, 1, *size)
    with torch.no_grad():
        expected, values = plain(x), one(x)
    count = len(AnchorGrid().boxes(size))
    assert values.shape == (2, 3 + 4, count + size[0] // 32 * (size[1] // 32))
    found = read_one_tensor(values, size)
    torch.testing.assert_close(found[:3], expected[:3], rtol=0, atol=0)
    assert found.features.shape == (2, 0, *expected.features.shape[2:])


def test_detections_are_those_of_the_plain_network(networks):
    plain, one = networks
    inferer = DetectionInferer(AnchorGrid(), score_threshold=0.005)
    x = torch.rand(2, 1, 96, 64)
    expected, found = inferer(x, plain), inferer(x, one)
    assert (expected["detections"][..., 5] >= 0).any()
    for key, value in expected.items():
        torch.testing.assert_close(found[key], value, rtol=0, atol=0)


def test_a_side_that_is_no_multiple_of_32_is_refused(networks):
    with pytest.raises(ValueError, match="multiples of 32"):
        networks[1](torch.rand(1, 1, 64, 48))
