"""The detector's losses against the published numbers, and what must not count."""

from __future__ import annotations

import math

import pytest
import torch
from monai.apps.detection.utils.ATSS_matcher import ATSSMatcher
from monai.data import MetaTensor

from cxr_common.detection import AnchorGrid, DetectionLoss, DetectorOutput, EncodeBoxTargetsd
from cxr_common.detection import loss as loss_module
from tests import golden
from tests.cxr_common.detection.picture_order import from_picture_order

SIZE = (128, 128)


def published(dtype):
    g = golden.load("oxnet_focal")
    grid = AnchorGrid()
    logits, deltas = (from_picture_order(torch.from_numpy(g[k]).to(dtype), grid, SIZE) for k in ("logits", "deltas"))
    output = DetectorOutput(logits, deltas, torch.zeros(5, 5, 4, 4), torch.zeros(5, 1, 4, 4))
    return grid, output, torch.from_numpy(g["annotations"]), g


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_parity(dtype, tolerance):
    grid, output, boxes, g = published(dtype)
    losses = DetectionLoss(grid)(output, boxes, None, SIZE)
    as_published = DetectionLoss(grid, negatives=False)(output, boxes, None, SIZE)
    expected = {k: torch.from_numpy(g[k]) for k in g if "per_image" in k}
    for found, name in (
        (losses.classification, "focal_per_image_negatives_counted"),
        (as_published.classification, "focal_per_image"),
        (losses.regression, "smoothl1_per_image"),
        (as_published.regression, "smoothl1_per_image"),
    ):
        # Regression targets are of float32 anchors, golden ones of float64.
        absolute = 1e-7 if "smooth" in name else 0
        torch.testing.assert_close(found.double(), expected[name], rtol=tolerance, atol=absolute, msg=name)
    total = float(g["focal_mean"] + g["smoothl1_mean"])
    assert as_published.total().item() == pytest.approx(total, rel=max(tolerance, 1e-8))


SMALL = (64, 96)


def example(seed=0, classes=3):
    """Three images: two boxes, annotated without a finding, and one box."""
    torch.manual_seed(seed)
    grid = AnchorGrid(levels=(3, 4), side=2)
    count = sum(grid.counts(SMALL))
    output = DetectorOutput(
        torch.randn(3, count, classes, requires_grad=True),
        torch.randn(3, count, 4, requires_grad=True),
        torch.zeros(3, classes, 2, 3),
        torch.zeros(3, 1, 2, 3),
    )
    boxes = torch.zeros(3, 4, 5)
    boxes[:, :, 4] = -1
    boxes[0, 0] = torch.tensor([8.0, 16, 40, 40, 0])
    boxes[0, 2] = torch.tensor([30.0, 50, 60, 90, 2])  # padding may lie between
    boxes[2, 0] = torch.tensor([5.0, 60, 30, 85, 0])
    return grid, output, boxes


def test_an_image_that_is_not_annotated_gives_no_loss_and_no_gradient():
    grid, output, boxes = example()
    known = torch.tensor([[1, 1, 1], [0, 0, 0], [1, 1, 1]])
    losses = DetectionLoss(grid)(output, boxes, known, SMALL)
    assert losses.annotated.tolist() == [True, False, True]
    assert losses.classification[1] == losses.regression[1] == 0
    losses.total().backward()
    assert not output.class_logits.grad[1].any() and not output.box_deltas.grad[1].any()
    others = DetectorOutput(*(t[[0, 2]] for t in output))
    torch.testing.assert_close(losses.total(), DetectionLoss(grid)(others, boxes[[0, 2]], None, SMALL).total())


def test_a_batch_without_any_annotation_is_zero_and_still_differentiable():
    grid, output, _ = example()
    losses = DetectionLoss(grid)(output, torch.full((3, 2, 5), -1.0), torch.zeros(3, 3), SMALL)
    assert losses.total().item() == 0
    losses.total().backward()
    assert not output.class_logits.grad.any() and not output.box_deltas.grad.any()


def test_a_class_that_is_not_annotated_is_left_out_alone():
    grid, output, boxes = example()
    loss = DetectionLoss(grid)
    loss(output, boxes, None, SMALL).total().backward()
    before = output.class_logits.grad.clone()
    output.class_logits.grad = None
    loss(output, boxes, torch.tensor([[1, 0, 1], [1, 1, 0], [1, 1, 1]]), SMALL).total().backward()
    expected = before.clone()
    expected[0, :, 1] = expected[1, :, 2] = 0
    torch.testing.assert_close(output.class_logits.grad, expected)


def test_images_without_findings_teach_background_unless_told_otherwise():
    grid, output, boxes = example()
    for negatives in (True, False):
        losses = DetectionLoss(grid, negatives=negatives)(output, boxes, None, SMALL)
        assert bool(losses.classification[1] > 0) == negatives
        assert losses.annotated.all()  # it counts in the mean either way, as published


def test_only_positive_anchors_regress():
    grid, output, boxes = example()
    losses = DetectionLoss(grid)(output, boxes, None, SMALL)
    losses.total().backward()
    iou = DetectionLoss(grid).matcher.similarity_fn(boxes[0, [0, 2], :4], grid.boxes(SMALL)).amax(0)
    assert (output.box_deltas.grad[0].any(1) == (iou >= 0.5)).all()


def test_perfect_predictions_cost_nothing():
    grid, output, boxes = example()
    loss = DetectionLoss(grid)
    anchors = grid.boxes(SMALL)
    logits, deltas = torch.full_like(output.class_logits, -30), torch.zeros_like(output.box_deltas)
    for n in (0, 2):
        rows = boxes[n][boxes[n, :, 4] >= 0]
        _, matches = loss.matcher(rows[:, :4], anchors, [], 9)
        positive = torch.nonzero(matches >= 0)[:, 0]
        matched = rows[matches[positive]]
        logits[n, positive, matched[:, 4].long()] = 30
        deltas[n, positive] = loss.coder.encode_single(matched[:, :4], anchors[positive])
    assert loss(output._replace(class_logits=logits, box_deltas=deltas), boxes, None, SMALL).total() < 1e-5


def test_adaptive_matching_gives_every_box_an_anchor():
    grid, output, boxes = example()
    boxes[0, 0] = torch.tensor([20.0, 20, 23, 24, 1])  # below every IoU threshold
    plain = DetectionLoss(grid)(output, boxes, None, SMALL)
    adaptive = DetectionLoss(grid, ATSSMatcher(4, center_in_gt=False))(output, boxes, None, SMALL)
    boxes[0, 2, 4] = -1  # leave the small one
    assert DetectionLoss(grid)(output, boxes, None, SMALL).regression[0] == 0
    assert DetectionLoss(grid, ATSSMatcher(4, center_in_gt=False))(output, boxes, None, SMALL).regression[0] > 0
    assert torch.isfinite(plain.total()) and torch.isfinite(adaptive.total())


def test_half_precision_is_summed_in_full():
    grid, output, boxes = example()
    half = DetectorOutput(*(t.half() for t in output))
    losses = DetectionLoss(grid)(half, boxes, None, SMALL)
    assert losses.classification.dtype == torch.float32
    torch.testing.assert_close(
        losses.total(), DetectionLoss(grid)(output, boxes, None, SMALL).total(), rtol=2e-3, atol=0
    )


def test_another_grid_is_refused():
    _, output, boxes = example()
    with pytest.raises(ValueError, match="use the same levels"):
        DetectionLoss(AnchorGrid())(output, boxes, None, SMALL)


def test_processes_divide_by_the_images_of_all(monkeypatch):
    """One process has the first image, another the second (not annotated) and the third."""
    grid, output, boxes = example()
    known = torch.tensor([[1, 1, 1], [0, 0, 0], [1, 1, 1]])
    whole = DetectionLoss(grid)(output, boxes, known, SMALL)
    mine, theirs = (
        DetectionLoss(grid)(DetectorOutput(*(t[part] for t in output)), boxes[part], known[part], SMALL)
        for part in (slice(0, 1), slice(1, 3))
    )
    others = iter([(theirs.classification + theirs.regression).sum(), theirs.annotated.sum()])
    monkeypatch.setattr(loss_module, "sum_over_processes", lambda value: value + next(others))
    found = mine.total()
    monkeypatch.undo()
    torch.testing.assert_close(found, whole.total())


def test_boxes_that_coincide_are_one_finding_of_both_classes():
    """What is good for both classes at their anchors costs less than what is good for the first alone."""
    grid, box = AnchorGrid(levels=(3, 4), side=2), torch.tensor([8.0, 8, 40, 40])
    anchors = grid.boxes(SMALL, "cpu")
    rows = torch.tensor([[[*box.tolist(), 0], [*box.tolist(), 2], [60, 10, 90, 60, 1]]])
    inside = loss_module.match_anchors(loss_module.IoUMatcher(), box[None], anchors, grid.counts(SMALL), grid.per_cell)
    positive = inside == 0
    assert positive.any()

    def loss(*classes):
        logits = torch.full((1, len(anchors), 3), -4.0)
        for c in classes:
            logits[0, positive, c] = 4.0
        output = DetectorOutput(
            logits, torch.zeros(1, len(anchors), 4), torch.zeros(1, 3, 2, 3), torch.zeros(1, 1, 2, 3)
        )
        return DetectionLoss(grid)(output, rows, None, SMALL).classification.item()

    assert loss(0, 2) < loss(0) < loss()
    assert loss(0, 2) < loss(0, 1, 2)
    assert loss(0) == pytest.approx(loss(2))


def test_a_labelled_class_without_a_box_is_neither_positive_nor_negative():
    """NIH boxes mark one finding of an image and leave others unmarked: nothing is learned of those there."""
    grid = AnchorGrid(levels=(3,), side=4)
    item = {"boxes": [[16, 16, 48, 48]], "box_labels": [0], "label": [1, 1, 0]}  # class 1 is present and not boxed
    image = MetaTensor(torch.zeros(1, 64, 64), meta={"spatial_shape": (64, 64)})
    encoded = EncodeBoxTargetsd(3, max_boxes=2)({"image": image, **item})
    logits = torch.zeros(1, sum(grid.counts((64, 64))), 3, requires_grad=True)
    output = DetectorOutput(logits, torch.zeros(*logits.shape[:2], 4), torch.zeros(1, 3, 2, 2), torch.zeros(1, 1, 2, 2))
    losses = DetectionLoss(grid)(output, encoded["boxes"][None], encoded["box_known"][None], (64, 64))
    losses.total().backward()
    boxed, unmarked, absent = logits.grad[0].unbind(1)
    positive = boxed < 0
    assert positive.any() and (boxed > 0).any()
    assert not unmarked.any()  # not even below the other class' box
    assert (absent[positive] > 0).all()
    # Golden: of p = .5, focal loss is alpha * .25 * log 2 where a class is there, else (1 - alpha) * .25 * log 2.
    count, between = int(positive.sum()), int((boxed == 0).sum())
    rest = logits.shape[1] - count - between
    expected = math.log(2) / 4 * (0.25 * count + 0.75 * rest + 0.75 * (count + rest)) / count
    assert losses.classification.item() == pytest.approx(expected, rel=1e-5)
