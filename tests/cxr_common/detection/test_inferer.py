from __future__ import annotations

import pytest
import torch
from monai.apps.detection.utils.ATSS_matcher import ATSSMatcher
from monai.data import DataLoader, Dataset, decollate_batch
from monai.transforms import Compose, Resized
from PIL import Image, ImageDraw

from cxr_common.boxes import pairwise_iou
from cxr_common.detection import (
    AnchorGrid,
    DetectionInferer,
    DetectionLoss,
    EncodeBoxTargetsd,
    LabelDetector,
    RetinaNet,
    original_detections,
)
from cxr_common.transforms import LoadRadiographd
from cxr_common.transforms.original import original_size


@pytest.fixture
def parts():
    torch.manual_seed(0)
    grid = AnchorGrid(levels=(3, 4, 5), side=2)
    return grid, RetinaNet(2, backbone="resnet18", levels=grid.levels, width=16).eval()


def test_one_dictionary_a_batch_decollates_into_one_an_image(parts):
    grid, net = parts
    pred = DetectionInferer(grid, score_threshold=0.005, max_detections=7)(torch.randn(3, 1, 64, 32), net)
    assert pred["detections"].shape == (3, 7, 6) and pred["image_logits"].shape == (3, 2)
    items = decollate_batch({"pred": pred})
    assert len(items) == 3 and items[1]["pred"]["detections"].equal(pred["detections"][1])


def test_monai_label_gets_an_item_an_image_from_the_network_it_puts_in(parts):
    grid, net = parts
    inferer = DetectionInferer(grid, score_threshold=0.005, max_detections=7)
    detector = LabelDetector(None, inferer)
    detector.network = net
    x = torch.randn(2, 1, 64, 32)
    found, expected = detector(x, use_inferer=True), inferer(x, net)
    assert len(found) == 2
    assert found[1]["pred"]["detections"].equal(expected["detections"][1])
    assert found[1]["pred"]["image_logits"].equal(expected["image_logits"][1])


def test_image_level_logits_may_come_from_elsewhere(parts):
    grid, net = parts
    inferer = DetectionInferer(grid, lambda output: output.class_logits.amax(1))
    x = torch.randn(2, 1, 64, 64)
    assert inferer(x, net)["image_logits"].equal(net(x).class_logits.amax(1))


def test_a_compiled_network_serves_as_well(parts):
    grid, net = parts
    x = torch.randn(1, 1, 64, 64)
    inferer = DetectionInferer(grid, score_threshold=0.005)
    with torch.no_grad():
        assert inferer(x, torch.jit.script(net))["detections"].equal(inferer(x, net)["detections"])


def test_nothing_but_the_image(parts):
    grid, net = parts
    with pytest.raises(TypeError, match="nothing but its image"):
        DetectionInferer(grid)(torch.zeros(1, 1, 64, 64), net, 3)


def test_a_finding_at_the_top_right_is_found_at_the_top_right(tmp_path, monkeypatch):
    """From picture files through training to boxes in original pixels, on an image that is wide and squashed."""
    items = []
    for name, box, label in (("a", [260, 20, 340, 52], 0), ("b", [40, 110, 80, 180], 1)):
        picture = Image.new("L", (400, 200), 40)
        ImageDraw.Draw(picture).rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=220)
        picture.save(tmp_path / f"{name}.png")
        items.append({"image": str(tmp_path / f"{name}.png"), "boxes": [box], "box_labels": [label]})
    transform = Compose([LoadRadiographd("image"), Resized("image", (64, 96)), EncodeBoxTargetsd(2, max_boxes=2)])
    [batch] = DataLoader(Dataset(items, transform), batch_size=2)
    torch.manual_seed(0)
    grid = AnchorGrid(levels=(3, 4, 5), side=2)
    net = RetinaNet(2, backbone="resnet18", levels=grid.levels, width=32, head_norm="group")
    # Random features are enough for two images, and pyramid and heads learn in a second.
    with torch.no_grad():
        features = net.backbone(batch["image"].as_tensor())
    monkeypatch.setattr(net.backbone, "forward", lambda image: features)
    loss = DetectionLoss(grid, ATSSMatcher(4, center_in_gt=False))
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(25):
        optimizer.zero_grad()
        loss(net(batch["image"]), batch["boxes"], batch["box_known"], batch["image"].shape[-2:]).total().backward()
        optimizer.step()
    with torch.no_grad():
        pred = DetectionInferer(grid)(batch["image"], net)
    for item, image, rows in zip(items, decollate_batch(batch["image"]), pred["detections"]):
        found = original_detections(rows, (64, 96), original_size(image, "test"))
        assert found.labels[0] == item["box_labels"][0]
        assert pairwise_iou(found.boxes[:1], item["boxes"])[0, 0] > 0.7
