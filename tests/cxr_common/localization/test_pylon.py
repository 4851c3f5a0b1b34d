from __future__ import annotations

import pytest
import torch
from torch import nn

from cxr_common.localization import CamClassifier, MultiscaleClassifier, Pylon
from cxr_common.networks import make_backbone


@pytest.mark.parametrize("backbone", ["resnet18", "resnet34", "resnet50", "densenet121"])
def test_shapes_and_channels_of_backbones(backbone):
    net = make_backbone(backbone, in_channels=1).eval()
    with torch.no_grad():
        features = net(torch.zeros(1, 1, 64, 96))
    assert [f.shape[1] for f in features] == net.channels
    assert [tuple(f.shape[2:]) for f in features] == [(16, 24), (8, 12), (4, 6), (2, 3)]


@pytest.mark.parametrize("size", [(64, 64), (65, 97), (128, 224), (256, 256), (300, 64)])
def test_any_size_from_64(size):
    net = Pylon(5, backbone="resnet18", decoder_channels=8).eval()
    with torch.no_grad():
        maps = net(torch.randn(2, 1, *size))
    assert maps.shape == (2, 5, -(-size[0] // 4), -(-size[1] // 4))
    assert torch.isfinite(maps).all()
    torch.testing.assert_close(net.pool(maps), maps.amax((-2, -1)))


def test_smaller_than_64_is_refused():
    with pytest.raises(ValueError, match="at least 64"):
        Pylon(1, backbone="resnet18")(torch.zeros(1, 1, 63, 64))


@pytest.mark.parametrize(("settings", "parameters"), [({"lateral_convolutions": 1}, 24_097_109), ({}, 25_478_741)])
def test_parameter_counts_are_the_published_ones(settings, parameters):
    assert sum(p.numel() for p in Pylon(14, **settings).parameters()) == parameters


def test_swapping_axes_of_image_and_kernels_swaps_the_map():
    from cxr_common.axes import picture_to_tensor, transpose_kernels

    torch.manual_seed(0)
    net = Pylon(2, backbone="resnet18", decoder_channels=8).double().eval()
    x = torch.randn(1, 1, 64, 128, dtype=torch.float64)
    with torch.no_grad():
        before = net(x)
        net.load_state_dict(transpose_kernels(net.state_dict()))
        after = net(picture_to_tensor(x))
    torch.testing.assert_close(picture_to_tensor(after), before, atol=1e-10, rtol=0)


@pytest.mark.parametrize("settings", [{"norm": "group"}, {"global_branch": True}, {"pyramid_attention": False}])
def test_ablations_of_the_paper_run_and_change_the_map(settings):
    torch.manual_seed(0)
    net = Pylon(2, backbone="resnet18", decoder_channels=16, **settings)
    x = torch.randn(2, 1, 128, 96)
    assert net(x).shape == (2, 2, 32, 24)
    norms = {type(m).__name__ for m in net.up.modules() if "Norm" in type(m).__name__} - {"ConvNormRelu"}
    assert norms == {"GroupNorm" if settings.get("norm") == "group" else "BatchNorm2d"}
    assert torch.jit.script(net.eval())(x).shape == (2, 2, 32, 24)


def test_the_global_branch_adds_the_same_everywhere():
    net = Pylon(2, backbone="resnet18", decoder_channels=16, global_branch=True).eval()
    features = torch.randn(1, 512, 4, 4)
    with torch.no_grad():
        added = net.attention(features) - net.attention.gate(features) * net.attention.mid(features)
    torch.testing.assert_close(added, added[..., :1, :1].expand_as(added))


@pytest.mark.parametrize("settings", [{"norm": "layer"}, {"global_branch": True, "pyramid_attention": False}])
def test_settings_that_do_not_go_together_are_refused(settings):
    with pytest.raises(ValueError):
        Pylon(2, backbone="resnet18", **settings)


@pytest.mark.parametrize("network", [Pylon, CamClassifier, MultiscaleClassifier])
def test_scripting_and_tracing_give_the_same_map(network):
    net = network(3, backbone="resnet18").eval()
    x = torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        expected = net(x)
        scripted = torch.jit.script(net)
        torch.testing.assert_close(scripted(x), expected)
        torch.testing.assert_close(scripted.pool(expected), net.pool(expected))
        torch.testing.assert_close(torch.jit.trace(net, x)(x), expected)


def test_cam_logit_is_the_mean_of_its_map():
    net = CamClassifier(3, backbone="resnet18").eval()
    x = torch.randn(2, 1, 128, 64)
    with torch.no_grad():
        deepest = net.backbone(x)[3]
        by_hand = deepest.mean((-2, -1)) @ net.head.weight[:, :, 0, 0].T + net.head.bias
        torch.testing.assert_close(net.pool(net(x)), by_hand, atol=1e-5, rtol=1e-5)


def test_unknown_settings_are_named():
    with pytest.raises(ValueError, match="resnet18"):
        make_backbone("vgg")
    with pytest.raises(ValueError, match="lateral_convolutions"):
        Pylon(1, lateral_convolutions=3)


@pytest.mark.parametrize("training", [True, False])
def test_group_norm_takes_one_image_as_it_takes_several(training):
    """At 128 pixels the coarsest level of the attention is one cell of one channel."""
    torch.manual_seed(0)
    network = Pylon(num_classes=2, norm="group").train(training)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # of the backbone
            module.eval()
        if isinstance(module, nn.GroupNorm):
            nn.init.normal_(module.bias)
    images = torch.randn(2, 1, 128, 128)
    with torch.no_grad():
        both, alone = network(images), network(images[:1])
    torch.testing.assert_close(alone, both[:1], atol=1e-4, rtol=1e-4)
