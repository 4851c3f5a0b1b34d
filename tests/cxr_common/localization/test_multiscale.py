from __future__ import annotations

import pytest
import torch

from cxr_common.localization import CamClassifier, MultiscaleClassifier


def trained(**settings):
    """A small network whose relevance, gain and statistics are not those it starts with."""
    torch.manual_seed(0)
    net = MultiscaleClassifier(3, backbone="resnet18", **settings)
    with torch.no_grad():
        net.relevance_logits.normal_()
        net.log_gain.normal_()
        net.bias.normal_()
        for maps in net.maps:
            maps.norm.running_mean.normal_()
            maps.norm.running_var.uniform_(0.5, 2)
    return net.double().eval()


def test_relevance_is_a_convex_combination_for_every_class():
    relevance = trained().relevance()
    assert relevance.shape == (3, 4)
    assert (relevance >= 0).all()
    torch.testing.assert_close(relevance.sum(1), torch.ones(3, dtype=torch.float64))


def test_every_stage_counts_the_same_at_the_start():
    relevance = MultiscaleClassifier(2, backbone="resnet18").relevance()
    torch.testing.assert_close(relevance, torch.full((2, 4), 0.25))


@pytest.mark.parametrize("size", [(64, 64), (128, 96)])
def test_the_logit_is_the_convex_combination_of_the_stages_logits(size):
    net = trained()
    x = torch.randn(2, 1, *size, dtype=torch.float64)
    with torch.no_grad():
        features = net.backbone(x)
        stages = torch.stack([m(f).mean((-2, -1)) for m, f in zip(net.maps, features, strict=True)], -1)
        expected = net.bias + net.log_gain.exp() * (net.relevance() * stages).sum(-1)
        torch.testing.assert_close(net.pool(net(x)), expected)


@pytest.mark.parametrize("stage", [0, 3])
def test_one_stage_is_a_class_activation_map(stage):
    net = trained(stages=[stage])
    cam = CamClassifier(3, backbone="resnet18").double().eval()
    x = torch.randn(2, 1, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        features = net.backbone(x)[stage]
        scale = torch.rsqrt(net.maps[0].norm.running_var + net.maps[0].norm.eps)
        weight = torch.nn.functional.normalize(net.maps[0].weight, dim=1) * net.log_gain.exp()[:, None] * scale
        bias = net.bias - weight @ net.maps[0].norm.running_mean
        expected = torch.nn.functional.conv2d(features, weight[:, :, None, None], bias)
        torch.testing.assert_close(net(x), expected)
        if stage == 3:
            cam.backbone.load_state_dict(net.backbone.state_dict())
            cam.head.load_state_dict({"weight": weight[:, :, None, None], "bias": bias})
            torch.testing.assert_close(net(x), cam(x))


def test_the_size_of_a_stages_weights_cannot_stand_in_for_its_relevance():
    net = trained()
    x = torch.randn(1, 1, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        before = net(x)
        net.maps[1].weight.mul_(7)
        torch.testing.assert_close(net(x), before)


def test_all_relevance_on_one_stage_leaves_that_stages_map():
    net = trained()
    x = torch.randn(1, 1, 64, 64, dtype=torch.float64)
    with torch.no_grad():
        net.relevance_logits.fill_(-100)
        net.relevance_logits[:, 0] = 100
        stage = net.maps[0](net.backbone(x)[0])
        expected = net.bias[:, None, None] + net.log_gain.exp()[:, None, None] * stage
        torch.testing.assert_close(net(x), expected)


@pytest.mark.parametrize(("stages", "stride"), [((0, 1, 2, 3), 4), ((3, 1), 8), ((2, 3), 16), ((3,), 32)])
@pytest.mark.parametrize("backbone", ["resnet18", "densenet121"])
def test_the_map_has_the_finest_stages_size(backbone, stages, stride):
    net = MultiscaleClassifier(2, backbone=backbone, stages=stages).eval()
    with torch.no_grad():
        assert net(torch.randn(1, 1, 64, 128)).shape == (1, 2, 64 // stride, 128 // stride)


def test_relevance_is_learnt():
    torch.manual_seed(0)
    net = MultiscaleClassifier(2, backbone="resnet18")
    before = net.relevance_logits.clone()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(3):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(
            net.pool(net(torch.randn(4, 1, 64, 64))), torch.tensor([[0.0, 1.0]]).repeat(4, 1)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert ((net.relevance_logits - before).abs() > 1e-3).all()


def test_description_names_classes_and_strides():
    found = trained().describe(["A", "B", "C"])["layer_relevance"]
    assert list(found) == ["A", "B", "C"]
    assert list(found["A"]) == ["stride 4", "stride 8", "stride 16", "stride 32"]
    assert abs(sum(found["B"].values()) - 1) < 1e-3


@pytest.mark.parametrize("stages", [(), (4,), (1, 1)])
def test_impossible_stages_are_refused(stages):
    with pytest.raises(ValueError, match="stages"):
        MultiscaleClassifier(2, backbone="resnet18", stages=stages)
