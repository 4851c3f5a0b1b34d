"""DeepLabV3+ against the numbers of segmentation-models 0.3.3 (PyPI), made by `golden.fill` weights in float64.

tests/data/segmentation_models.npz holds the network's map of the two feature maps below, every fourth pixel.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.localization import CamClassifier
from cxr_common.networks import max_pool, save_weights
from cxr_common.segmentation import DeepLabV3Plus
from cxr_common.segmentation.deeplab import AtrousPyramid, DeepLabDecoder
from cxr_common.training import load_initial_weights
from tests import golden


def test_decoder_and_head_give_the_published_numbers():
    network = nn.ModuleDict({"decoder": DeepLabDecoder(12, 6, 8, (1, 2, 3)), "head": nn.Conv2d(8, 1, 1)})
    network.double().eval()
    golden.fill(network, 700)
    deep, low = golden.image(701, 2, 12, 4, 5), golden.image(702, 2, 6, 16, 20)
    maps = network["head"](network["decoder"](deep, low))
    maps = F.interpolate(maps, size=(64, 80), mode="bilinear", align_corners=True)
    with np.load(golden.REPOSITORY / "tests" / "data" / "segmentation_models.npz") as file:
        torch.testing.assert_close(maps[:, 0, ::4, ::4], torch.from_numpy(file["deeplab"]), atol=1e-12, rtol=0)


@pytest.mark.parametrize("backbone", ["resnet18", "densenet121"])
@pytest.mark.parametrize("stride", [8, 16])
def test_any_input_size_gives_a_map_of_its_size(backbone, stride):
    network = DeepLabV3Plus(3, backbone=backbone, output_stride=stride, atrous_rates=(1, 2, 3)).eval()
    with torch.no_grad():
        for size in ((64, 96), (65, 47), (33, 100)):
            maps = network(torch.randn(2, 1, *size))
            assert maps.shape == (2, 3, *size)
            torch.testing.assert_close(network.pool(maps), max_pool(maps))


def test_the_output_stride_is_the_pyramids():
    """At stride 8 the pyramid sees twice as many cells; weights are the same."""
    seen = {}
    for stride in (8, 16):
        network = DeepLabV3Plus(1, output_stride=stride).eval()
        network.decoder.pyramid.register_forward_hook(lambda m, x, y, s=stride: seen.update({s: y.shape[-2:]}))
        with torch.no_grad():
            network(torch.zeros(1, 1, 64, 96))
    assert seen == {8: (8, 12), 16: (4, 6)}


def test_a_rate_beyond_the_map_is_a_point_convolution():
    torch.manual_seed(0)
    pyramid = AtrousPyramid(4, 6, (9,), 0.0).double().eval()
    x = torch.randn(1, 4, 5, 7, dtype=torch.float64)
    wide = pyramid.atrous[0]
    centre = F.conv2d(x, wide[0].weight[:, :, 1:2, 1:2], groups=4)
    torch.testing.assert_close(wide(x), wide[3](wide[2](wide[1](centre))))


def test_starts_from_a_classifier_and_learns(tmp_path):
    torch.manual_seed(0)
    classifier = CamClassifier(2, backbone="resnet18", dropblock_prob=0.1, dropblock_ramp=3)
    save_weights(classifier, tmp_path / "model.pt")
    network = DeepLabV3Plus(3, output_stride=8)
    load_initial_weights(network, tmp_path / "model.pt")
    expected = classifier.backbone.state_dict()
    for key, value in network.backbone.state_dict().items():
        torch.testing.assert_close(value, expected[key], atol=1e-3, rtol=1e-3)  # stored in half precision
    network(torch.randn(2, 1, 48, 48)).square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_scripted_and_traced_networks_agree():
    torch.manual_seed(0)
    network = DeepLabV3Plus(2).eval()
    x = torch.randn(1, 1, 72, 64)
    with torch.no_grad():
        expected = network(x)
        scripted = torch.jit.script(network)
        torch.testing.assert_close(scripted(x), expected)
        torch.testing.assert_close(scripted.pool(expected), network.pool(expected))
        torch.testing.assert_close(torch.jit.trace(network, x)(x), expected)
