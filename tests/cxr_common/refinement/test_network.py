from __future__ import annotations

import pytest
import torch

from cxr_common.refinement import InterPixelRelationNetwork

BACKBONES = pytest.mark.parametrize("backbone", ["resnet18", "efficientnet_lite0"])


@pytest.mark.parametrize("size", [(64, 64), (97, 130), (256, 100)])
@BACKBONES
def test_any_size(backbone, size):
    network = InterPixelRelationNetwork(backbone).eval()
    with torch.no_grad():
        out = network(torch.randn(2, 1, *size))
    assert out.shape == (2, 3, -(-size[0] // 4), -(-size[1] // 4))


@BACKBONES
def test_the_backbone_is_frozen(backbone):
    network = InterPixelRelationNetwork(backbone).train()
    assert not network.backbone.training
    assert network.boundary.training
    before = {k: v.clone() for k, v in network.backbone.state_dict().items()}
    network(torch.randn(2, 1, 64, 64)).sum().backward()
    assert all(p.grad is None for p in network.backbone.parameters())
    assert all(p.grad is not None for p in network.boundary.parameters())
    assert all(torch.equal(before[k], v) for k, v in network.backbone.state_dict().items())


@BACKBONES
def test_scripting_and_tracing_give_the_same(backbone):
    network = InterPixelRelationNetwork(backbone).eval()
    x = torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(network)(x), network(x))
        torch.testing.assert_close(torch.jit.trace(network, x)(x), network(x))


def test_other_backbones_are_refused():
    with pytest.raises(ValueError, match="resnet50, efficientnet_lite0"):
        InterPixelRelationNetwork("densenet121")


@BACKBONES
def test_features_have_the_published_strides(backbone):
    features = InterPixelRelationNetwork(backbone).eval().features(torch.randn(1, 1, 64, 128))
    assert [(64 // f.shape[-2], 128 // f.shape[-1]) for f in features] == [(s, s) for s in (4, 4, 8, 16, 16)]


def test_weights_of_the_small_one_stay_below_15_mb():
    network = InterPixelRelationNetwork("efficientnet_lite0")
    assert sum(2 * value.numel() for value in network.state_dict().values()) < 15e6
