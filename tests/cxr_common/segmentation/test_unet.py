from __future__ import annotations

import pytest
import torch
from monai.networks.nets import FlexibleUNet
from torch.nn import functional as F

from cxr_common.localization import MultiscaleClassifier
from cxr_common.networks import max_pool, save_weights
from cxr_common.segmentation import UNet
from cxr_common.training import load_initial_weights


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "densenet121"])
def test_any_input_size_gives_a_map_of_its_size(backbone):
    network = UNet(3, backbone=backbone).eval()
    with torch.no_grad():
        for size in ((64, 96), (65, 47)):
            maps = network(torch.randn(1, 1, *size))
            assert maps.shape == (1, 3, *size)
            torch.testing.assert_close(network.pool(maps), max_pool(maps))


def test_padding_is_cut_off_again_where_it_was_put():
    """An image that is its own padding's source gives the same map, whether padded here or by hand."""
    network = UNet(1, backbone="resnet18").double().eval()
    image = torch.randn(1, 1, 40, 50, dtype=torch.float64)
    padded = torch.cat([image, image[:, :, -1:].expand(-1, -1, 24, -1)], 2)
    padded = torch.cat([padded, padded[..., -1:].expand(-1, -1, -1, 14)], 3)
    with torch.no_grad():
        torch.testing.assert_close(network(image), network(padded)[..., :40, :50])


def test_the_decoder_is_the_one_of_monais_flexible_unet():
    """With pre_conv off, whose encoder gives maps of the same strides and channels: same parts, same numbers."""
    torch.manual_seed(0)
    ours = UNet(2, backbone="resnet18").double().eval()
    theirs = FlexibleUNet(1, 2, "resnet18", norm="batch", pre_conv=None).double().eval()
    theirs.decoder.load_state_dict(ours.decoder.state_dict())
    theirs.segmentation_head[0].load_state_dict(ours.head.state_dict())
    x = torch.randn(1, 1, 64, 64, dtype=torch.float64)
    features = theirs.encoder(x)
    with torch.no_grad():
        assert [f.shape for f in ours.backbone.with_stem(x)] == [f.shape for f in features]
        ours.backbone.with_stem = lambda image: features
        torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize("backbone", ["resnet18", "densenet121"])
def test_the_stem_is_taken_before_its_pooling(backbone):
    net = UNet(1, backbone=backbone).backbone.eval()
    x = torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        stem, *rest = net.with_stem(x)
        assert stem.shape == (1, 64, 32, 48)
        for a, b in zip(rest, net(x), strict=True):
            torch.testing.assert_close(a, b)
        torch.testing.assert_close(net.stages(F.max_pool2d(stem, 3, 2, 1))[3], rest[3])


def test_starts_from_a_classifier_and_learns(tmp_path):
    torch.manual_seed(0)
    classifier = MultiscaleClassifier(2, backbone="resnet18")
    save_weights(classifier, tmp_path / "model.pt")
    network = UNet(3, backbone="resnet18")
    load_initial_weights(network, tmp_path / "model.pt")
    expected = classifier.backbone.state_dict()
    for key, value in network.backbone.state_dict().items():
        torch.testing.assert_close(value, expected[key], atol=1e-3, rtol=1e-3)  # stored in half precision
    network(torch.randn(2, 1, 48, 48)).square().mean().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())


def test_scripted_and_traced_networks_agree():
    torch.manual_seed(0)
    network = UNet(2, backbone="resnet18").eval()
    x = torch.randn(1, 1, 70, 64)
    with torch.no_grad():
        expected = network(x)
        scripted = torch.jit.script(network)
        torch.testing.assert_close(scripted(x), expected)
        torch.testing.assert_close(scripted.pool(expected), network.pool(expected))
        torch.testing.assert_close(torch.jit.trace(network, x)(x), expected)
