from __future__ import annotations

import pytest
import torch
from torch import nn

from cxr_common.detection import AnchorGrid, RetinaNet
from cxr_common.detection.network import flatten_anchors
from cxr_common.localization import CamClassifier
from cxr_common.networks import load_weights, save_weights
from cxr_common.training import load_initial_weights


def small(**settings):
    torch.manual_seed(0)
    return RetinaNet(**{"num_classes": 3, "backbone": "resnet18", "width": 16, **settings})


@pytest.mark.parametrize("levels", [(3, 4, 5, 6, 7), (2, 3, 4, 5, 6, 7), (4, 5)])
@pytest.mark.parametrize("backbone", ["resnet18", "densenet121"])
def test_shapes(backbone, levels):
    net, size = small(backbone=backbone, levels=levels).eval(), (96, 64)
    with torch.no_grad():
        out = net(torch.randn(2, 1, *size))
    count = sum(AnchorGrid(levels).counts(size))
    assert out.class_logits.shape == (2, count, 3)
    assert out.box_deltas.shape == (2, count, 4)
    assert out.class_maps.shape == (2, 3, 3, 2)
    assert out.features.shape == (2, net.backbone.channels[-1], 3, 2)
    assert out.features.min() >= 0
    assert net.pool(out.class_maps).shape == (2, 3)


def test_it_starts_with_the_prior_no_displacement_and_an_empty_map():
    net = small(prior=0.02).eval()
    with torch.no_grad():
        out = net(torch.randn(1, 1, 64, 64))
    torch.testing.assert_close(out.class_logits.sigmoid(), torch.full_like(out.class_logits, 0.02))
    assert not out.box_deltas.any() and not out.class_maps.any()


def test_anchors_are_major_and_x_is_slowest():
    maps = torch.arange(2 * 6 * 4 * 3).reshape(2, 6, 4, 3)
    rows = flatten_anchors(maps, 2)
    assert rows.shape == (2, 4 * 3 * 2, 3)
    grid = AnchorGrid(levels=(5,), ratios=(1,), scales=(1, 2))
    [back] = grid.split(rows, (128, 96))
    for n, x, y, a, k in [(0, 0, 0, 0, 0), (1, 3, 1, 1, 2), (0, 2, 2, 1, 0), (1, 1, 0, 0, 1)]:
        assert back[n, x, y, a, k] == maps[n, a * 3 + k, x, y]


def randomise(net):
    for parameter in net.parameters():
        if parameter.ndim > 1:
            nn.init.kaiming_normal_(parameter)
    return net


@pytest.mark.parametrize("point", [(0, 0), (80, 8), (16, 72)])
def test_an_anchor_answers_for_the_place_where_it_lies(point):
    """A spot in the image moves the logits of the anchors there: maps, anchors and image share their axes."""
    grid, size = AnchorGrid(levels=(3, 4, 5)), (128, 96)
    net = randomise(small(levels=(3, 4, 5))).eval()
    plain = torch.zeros(1, 1, *size)
    spot = plain.clone()
    spot[..., point[0] : point[0] + 8, point[1] : point[1] + 8] = 1
    with torch.no_grad():
        change = (net(spot).class_logits - net(plain).class_logits).abs().sum(-1)
    finest = grid.split(change[..., None], size)[0][0, ..., 0].sum(-1)
    boxes = grid.split(grid.boxes(size)[None], size)[0][0, :, :, 0]
    centre = (boxes[..., :2] + boxes[..., 2:]) / 2
    distance = (centre - torch.tensor(point) - 4).norm(dim=-1)
    assert finest[distance < 16].mean() > 2 * finest[distance > 40].mean()
    if point[0] != point[1]:  # where it would be with x and y swapped
        mirrored = (centre - torch.tensor(point[::-1]) - 4).norm(dim=-1)
        assert finest[distance < 16].mean() > 2 * finest[mirrored < 16].mean()


def test_scripted_and_traced_it_gives_the_same_at_any_size():
    net = randomise(small()).eval()
    image, other = torch.randn(1, 1, 64, 96), torch.randn(2, 1, 96, 64)
    with torch.no_grad():
        expected = [net(x) for x in (image, other)]
        for compiled in (torch.jit.trace(net, image), torch.jit.script(net)):
            for x, values in zip((image, other), expected):
                for found, value in zip(compiled(x), values, strict=True):
                    torch.testing.assert_close(found, value)


@pytest.mark.parametrize("frozen", [True, False])
def test_batch_norm_is_frozen_on_request(frozen):
    net = small(frozen_batch_norm=frozen).train()
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert net.training and all(m.training != frozen for m in norms)
    before = norms[0].running_mean.clone()
    net(torch.randn(2, 1, 64, 64))
    assert torch.equal(before, norms[0].running_mean) == frozen
    assert not any(m.training for m in net.eval().modules())


def test_the_backbone_starts_from_another_bundles_weights(tmp_path):
    torch.manual_seed(1)
    classifier = CamClassifier(5, backbone="resnet18")
    save_weights(classifier, tmp_path / "model.pt")
    net = small()
    load_initial_weights(net, backbone_weights=tmp_path / "model.pt")
    torch.testing.assert_close(
        net.backbone.layer4[1].conv2.weight, classifier.backbone.layer4[1].conv2.weight, atol=1e-3, rtol=1e-3
    )
    save_weights(net, tmp_path / "detector.pt")
    other = randomise(small())
    load_weights(other, tmp_path / "detector.pt")
    x = torch.randn(1, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(other.eval()(x), net.eval()(x), atol=2e-2, rtol=2e-2)


def test_group_norm_is_an_option():
    plain, group = small(), small(head_norm="group")
    assert not any(isinstance(m, nn.GroupNorm) for m in plain.modules())
    assert sum(isinstance(m, nn.GroupNorm) for m in group.modules()) == 8


def test_the_pyramid_goes_on_from_the_last_stage_whatever_its_width():
    """P6 is a convolution of C5 as published; MONAI would take P5 where both have the same width."""
    net = small(width=512).eval()
    assert net.fpn.extra_blocks.p6.in_channels == 512 == net.backbone.channels[-1]
    assert not net.fpn.extra_blocks.use_P5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"levels": (3, 5)}, "levels"),
        ({"levels": (1, 2, 3, 4, 5)}, "levels"),
        ({"levels": (3, 4, 5, 6)}, "levels"),
        ({"levels": ()}, "levels"),
        ({"head_norm": "batch"}, "head_norm"),
        ({"backbone": "vgg"}, "unknown backbone"),
    ],
)
def test_unknown_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="multiples of 32"):
        small()(torch.zeros(1, 1, 64, 80))
