from __future__ import annotations

import pytest
import torch

from cxr_common.detection import AnchorGrid, DetectionInferer, OneTensorRetinaNet
from cxr_common.detection.global_head import AlignedLogits
from cxr_common.exports import exportable

ANCHORS = AnchorGrid(levels=(3, 4, 5, 6, 7), side=2.0)


@pytest.fixture(scope="module")
def network():
    """A detector that finds much: its heads are random."""
    torch.manual_seed(0)
    network = OneTensorRetinaNet(num_classes=3, backbone="resnet18", width=16).eval()
    with torch.no_grad():
        for head in (network.class_head, network.box_head):
            head[-1].weight.normal_(std=0.2)
        network.class_head[-1].bias.zero_()
        network.global_head.weight.normal_(std=0.1)
    return network


def test_anchors_are_monais():
    found = ANCHORS.boxes((64, 96))
    shapes = [list(shape) for shape in ANCHORS.shapes((64, 96))]
    strides = [[torch.tensor(2**level)] * 2 for level in ANCHORS.levels]
    torch.testing.assert_close(found, torch.cat(ANCHORS.grid_anchors(shapes, strides)), rtol=0, atol=0)


@pytest.mark.parametrize("aligned", [True, False])
@torch.no_grad()
def test_heads_and_logits_are_the_inferers(network, aligned):
    inferer = DetectionInferer(ANCHORS, AlignedLogits(ANCHORS)) if aligned else DetectionInferer(ANCHORS)
    image = torch.randn(2, 1, 64, 96)
    module = exportable(inferer, network)
    for found, expected in zip(module(image), module.expected(image, inferer, network), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("settings", [{}, {"score_threshold": 0.5, "nms_threshold": 0.2, "per_level": 40}])
@torch.no_grad()
def test_boxes_are_the_inferers(network, settings):
    inferer = DetectionInferer(ANCHORS, max_detections=60, **settings)
    image = torch.randn(2, 1, 64, 96, generator=torch.Generator().manual_seed(3))
    module = exportable(inferer, network, boxes=True)
    (found, _), (expected, _) = module(image), module.expected(image, inferer, network)
    assert (expected[..., 5] >= 0).sum() > 10
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)


@torch.no_grad()
def test_no_boxes_are_empty_rows(network):
    inferer = DetectionInferer(ANCHORS, score_threshold=1.0)
    image = torch.randn(1, 1, 64, 64)
    module = exportable(inferer, network, boxes=True)
    found, _ = module(image)
    assert torch.equal(found, module.expected(image, inferer, network)[0])
    assert (found[..., 5] == -1).all()
