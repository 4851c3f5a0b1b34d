from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.localization import CamClassifier, DropBlock2d, MultiscaleClassifier, Pylon
from cxr_common.networks import make_backbone
from cxr_common.networks.efficientnet_lite import LITES, EfficientNetLiteBackbone, SameConv2d, scaled_channels
from cxr_common.segmentation import DeepLabV3Plus, UNet


def tensorflow_same(x, weight, stride, groups):
    """TensorFlow's "SAME" by its definition: output ceil(n / stride), the odd pad at the far side."""
    pads = []
    for n in (x.shape[-1], x.shape[-2]):
        total = max((-(-n // stride) - 1) * stride + weight.shape[-1] - n, 0)
        pads += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pads), weight, stride=stride, groups=groups)


@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_pads_are_tensorflows(kernel, stride):
    torch.manual_seed(0)
    conv = SameConv2d(4, 4, kernel, stride, groups=4)
    x = torch.randn(2, 4, 32, 64)
    torch.testing.assert_close(conv(x), tensorflow_same(x, conv.weight, stride, 4))


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("size", [(8, 8), (4, 10), (7, 8)])
def test_dilation_in_training_is_the_same_convolution(kernel, size):
    torch.manual_seed(0)
    conv = SameConv2d(6, 6, kernel, groups=6).double()
    conv.dilation = (2, 2)
    conv.set_pads()
    x = torch.randn(2, 6, *size, dtype=torch.float64, requires_grad=True)
    found, plain = conv.train()(x), conv.eval()(x)
    torch.testing.assert_close(found, plain)
    seed = torch.randn_like(plain)
    for a, b in zip(
        torch.autograd.grad(found, (x, conv.weight), seed),
        torch.autograd.grad(plain, (x, conv.weight), seed),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("name", LITES)
def test_feature_maps_have_their_channels_and_strides(name):
    backbone = make_backbone(name).eval()
    x = torch.randn(1, 1, 96, 64)
    with torch.no_grad():
        stem, *maps = backbone.with_stem(x)
    assert stem.shape == (1, backbone.stem_channels, 48, 32)
    for m, channels, stride in zip(maps, backbone.channels, backbone.strides, strict=True):
        assert m.shape == (1, channels, 96 // stride, 64 // stride)
    assert backbone.channels[3] == 1280 and backbone.strides == [4, 8, 16, 32]
    assert backbone.channels[:3] == {"efficientnet_lite2": [24, 48, 120]}.get(
        name, [24, 40, 112]
    )  # last of each stride
    norms = [m for m in backbone.modules() if isinstance(m, nn.BatchNorm2d)]
    assert {(m.eps, m.momentum) for m in norms} == {(1e-3, 0.01)}  # as published; momentum counts in training alone


def test_sizes_of_the_published_networks():
    """Parameters without the classifier, from the packages' files: 4.65, 5.42 and 6.09 million with it."""
    for name, expected in zip(LITES, (4_652_008, 5_416_680, 6_092_072), strict=True):
        backbone = make_backbone(name, in_channels=3)
        assert sum(p.numel() for p in backbone.parameters()) + 1281 * 1000 == expected


@pytest.mark.parametrize("stride", [16, 8])
def test_dilation_keeps_the_responses_on_the_coarse_grid(stride):
    """At strides, a dilated network computes what the strided one does at every position of the finer grid.

    Away from the borders, that is: with white noise in the middle of zeros both see the same neighbourhood.
    """
    torch.manual_seed(0)
    coarse = EfficientNetLiteBackbone().eval()
    fine = EfficientNetLiteBackbone(output_stride=stride).eval()
    fine.load_state_dict(coarse.state_dict())
    x = torch.randn(1, 1, 256, 256)
    with torch.no_grad():
        a, b = coarse(x)[3], fine(x)[3]
    assert b.shape[-1] == 256 // stride
    step = 32 // stride
    # A strided kernel's window begins at a cell that its pads choose, so the grids meet at one of the step's offsets.
    errors = [(a - b[..., i::step, j::step])[..., 3:-3, 3:-3].abs().max() for i in range(step) for j in range(step)]
    spread = (a - a.mean((-2, -1), keepdim=True)).abs().max()
    assert min(errors) < 1e-3 * spread


def test_channels_are_rounded_to_multiples_of_8():
    assert [scaled_channels(c, 1.1) for c in (16, 24, 40, 80, 112, 192, 320)] == [16, 24, 48, 88, 120, 208, 352]


def test_a_frozen_stage_neither_learns_nor_counts():
    torch.manual_seed(0)
    backbone = make_backbone("efficientnet_lite0")
    backbone.freeze(2)
    before = {k: v.clone() for k, v in backbone.state_dict().items()}
    optimizer = torch.optim.SGD(backbone.parameters(), lr=0.1)
    backbone.train()
    backbone(torch.randn(2, 1, 64, 64))[3].sum().backward()
    optimizer.step()
    changed = {k for k, v in backbone.state_dict().items() if not torch.equal(v, before[k])}
    assert not {k for k in changed if k.startswith(("conv_stem.", "blocks.0.", "blocks.1."))}
    assert any(k.startswith("blocks.2.0.expand") for k in changed)


@pytest.mark.parametrize(
    "network",
    [
        lambda name: Pylon(3, backbone=name),
        lambda name: CamClassifier(3, backbone=name, output_stride=8, dropblock_prob=0.2),
        lambda name: MultiscaleClassifier(3, backbone=name),
    ],
)
def test_localisers_are_scripted(network):
    torch.manual_seed(0)
    net = network("efficientnet_lite0").eval()
    x = torch.randn(1, 1, 128, 96)
    scripted = torch.jit.script(net)
    with torch.no_grad():
        torch.testing.assert_close(scripted(x), net(x))
        torch.testing.assert_close(scripted.pool(scripted(x)), net.pool(net(x)))


@pytest.mark.parametrize("size", [(128, 128), (96, 160)])
def test_onnx_export_gives_the_same_numbers(size, tmp_path):
    reference = pytest.importorskip("onnx.reference")
    torch.manual_seed(0)
    net = CamClassifier(3, backbone="efficientnet_lite0").eval()
    x = torch.randn(1, 1, *size)
    torch.onnx.export(net, (x,), tmp_path / "net.onnx", dynamo=True)
    with torch.no_grad():
        expected = net(x).numpy()
    (got,) = reference.ReferenceEvaluator(str(tmp_path / "net.onnx")).run(None, {"image": x.numpy()})
    np.testing.assert_allclose(got, expected, atol=1e-4)


def test_segmenters_take_it_too():
    x = torch.randn(1, 1, 64, 64)
    for net in (UNet(2, backbone="efficientnet_lite0"), DeepLabV3Plus(2, backbone="efficientnet_lite0")):
        with torch.no_grad():
            assert net.eval()(x).shape[:2] == (1, 2)


def test_regularisers_follow_the_third_and_the_fourth_map():
    backbone = EfficientNetLiteBackbone(regularizer=lambda: DropBlock2d(0.5, 3))
    assert isinstance(backbone.regularize3, DropBlock2d) and isinstance(backbone.regularize4, DropBlock2d)
