from __future__ import annotations

import pytest
import torch
from monai.apps.detection.networks.retinanet_detector import RetinaNetDetector
from torch import nn

from cxr_common.detection import AnchorGrid, DetectionBoxCoder, DetectorOutput, original_detections, select_detections
from cxr_common.detection.selection import top_scores

SIZE = (96, 64)
CLASSES = 3


@pytest.fixture
def grid():
    return AnchorGrid(levels=(3, 4), side=2)


def output(grid, seed=0, images=2):
    generator = torch.Generator().manual_seed(seed)
    count = sum(grid.counts(SIZE))
    return DetectorOutput(
        torch.randn(images, count, CLASSES, generator=generator) * 2 - 3,
        torch.randn(images, count, 4, generator=generator),
        torch.zeros(images, CLASSES, 3, 2),
        torch.zeros(images, 1, 3, 2),
    )


class Maps(nn.Module):
    """A network that gives MONAI's detector what we have, as its maps."""

    spatial_dims, num_classes, size_divisible, num_anchors = 2, CLASSES, 1, 9
    cls_key, box_reg_key = "classification", "box_regression"

    def __init__(self, grid, out):
        super().__init__()
        self.maps = {
            key: [part.permute(0, 3, 4, 1, 2).flatten(1, 2) for part in grid.split(values, SIZE)]
            for key, values in (("classification", out.class_logits), ("box_regression", out.box_deltas))
        }

    def forward(self, image):
        return {key: list(maps) for key, maps in self.maps.items()}


@pytest.mark.parametrize(
    "settings",
    [
        {"score_threshold": 0.05, "per_level": 1000, "nms_threshold": 0.5, "max_detections": 300},
        {"score_threshold": 0.3, "per_level": 40, "nms_threshold": 0.2, "max_detections": 25},
    ],
)
def test_monais_detector_selects_the_same(grid, settings):
    out = output(grid)
    detector = RetinaNetDetector(Maps(grid, out), grid).eval()
    detector.set_box_coder_weights((10.0, 10.0, 5.0, 5.0))
    detector.set_box_selector_parameters(*settings.values())
    rows = select_detections(out, grid, SIZE, **settings)
    assert rows.shape == (2, settings["max_detections"], 6)
    for found, expected in zip(rows, detector(torch.zeros(2, 1, *SIZE))):
        count = len(expected["boxes"])
        assert 0 < count <= settings["max_detections"]
        torch.testing.assert_close(found[:count, :4], expected["boxes"])
        torch.testing.assert_close(found[:count, 4], expected["labels_scores"])
        assert found[:count, 5].tolist() == expected["labels"].tolist()
        assert found[count:].tolist() == [[0, 0, 0, 0, 0, -1]] * (len(found) - count)


def test_an_image_without_detections_is_padding(grid):
    out = output(grid)
    out.class_logits[1] = -9
    rows = select_detections(out, grid, SIZE, max_detections=5)
    assert rows[1].tolist() == [[0, 0, 0, 0, 0, -1]] * 5
    assert len(original_detections(rows[1], SIZE, (1000, 2000)).boxes) == 0
    torch.testing.assert_close(rows[0], select_detections(output(grid), grid, SIZE, max_detections=5)[0])


def test_one_location_may_hold_two_classes(grid):
    out = output(grid)
    out.class_logits.fill_(-9)
    out.class_logits[0, 100, 0] = out.class_logits[0, 100, 2] = 4
    out.class_logits[0, 100, 2] += 1
    rows = select_detections(out, grid, SIZE)[0]
    assert rows[:3, 5].tolist() == [2, 0, -1]
    assert rows[0, :4].equal(rows[1, :4])


def test_of_equal_scores_the_first_are_chosen():
    scores = torch.tensor([0.2, 0.9, 0.5, 0.5, 0.5, 0.01, 0.5])
    assert top_scores(scores, 0.05, 3).tolist() == [1, 2, 3]
    assert top_scores(scores, 0.05, 99).tolist() == [1, 2, 3, 4, 6, 0]
    assert top_scores(scores, 0.95, 3).tolist() == []
    assert top_scores(torch.full((5000,), 0.5), 0.05, 4).tolist() == [0, 1, 2, 3]


def test_boxes_return_to_the_original_and_stay_inside():
    rows = torch.tensor([[48.0, 16, 96, 32, 0.75, 2], [0, 0, 96, 64, 0.5, 0], [0, 0, 0, 0, 0, -1]])
    found = original_detections(rows, SIZE, (960, 256))
    assert found.boxes.tolist() == [[480, 64, 960, 128], [0, 0, 960, 256]]
    assert found.scores.tolist() == [0.75, 0.5] and found.labels.tolist() == [2, 0]


def test_what_the_loss_asks_for_is_what_is_selected(grid):
    """An asymmetric box, from targets through selection to the original image: no axis is swapped."""
    box = torch.tensor([[60.0, 8, 92, 20]])
    anchors = grid.boxes(SIZE)
    out = output(grid, images=1)
    out.class_logits.fill_(-9)
    best = int((anchors - box).abs().sum(1).argmin())
    out.class_logits[0, best, 1] = 5
    out.box_deltas[0, best] = DetectionBoxCoder().encode_single(box, anchors[[best]])[0]
    [rows] = select_detections(out, grid, SIZE)
    found = original_detections(rows, SIZE, (960, 640))
    assert found.labels.tolist() == [1]
    torch.testing.assert_close(torch.from_numpy(found.boxes[0]), box[0].double() * 10, atol=1e-3, rtol=0)
