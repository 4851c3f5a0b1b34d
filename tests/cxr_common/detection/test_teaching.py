"""What a student learns of its teacher's boxes."""

from __future__ import annotations

import torch

from cxr_common.detection import AnchorGrid, DetectionBoxCoder, DetectorOutput
from cxr_common.detection.teaching import TeachingLoss

SIZE, K = (64, 64), 2
GRID = AnchorGrid(levels=(3, 4), side=2)


def output(logits, deltas):
    return DetectorOutput(logits, deltas, torch.zeros(len(logits), K, 2, 2), torch.zeros(len(logits), 1, 2, 2))


def example(score):
    """A teacher that sees class 1 at one anchor, with a box a little beside it."""
    anchors = GRID.boxes(SIZE)
    logits = torch.full((1, len(anchors), K), -6.0)
    inside = (anchors[:, :2] >= 0).all(1) & (anchors[:, 2:] <= 64).all(1)
    anchor = int(torch.nonzero(inside)[0])
    logits[0, anchor, 1] = torch.logit(torch.tensor(score))
    box = anchors[anchor : anchor + 1] + 1
    deltas = torch.zeros(1, len(anchors), 4)
    deltas[0, anchor] = DetectionBoxCoder().encode_single(box, anchors[anchor : anchor + 1])[0]
    return anchor, output(logits, deltas), box


def student(count):
    return output(torch.zeros(1, count, K, requires_grad=True), torch.zeros(1, count, 4, requires_grad=True))


def test_anchors_that_overlap_a_pseudo_box_learn_it():
    anchor, teacher, box = example(0.9)
    own = student(teacher.class_logits.shape[1])
    found = TeachingLoss(GRID)(own, teacher, torch.full((1, K), torch.nan), SIZE)
    found.pseudo_box.backward()
    learnt = torch.nonzero(own.box_deltas.grad.any(2)[0])[:, 0]
    anchors = GRID.boxes(SIZE)
    low, high = torch.maximum(anchors[:, :2], box[:, :2]), torch.minimum(anchors[:, 2:], box[:, 2:])
    shared = (high - low).clamp_min(0).prod(1)
    area = (anchors[:, 2:] - anchors[:, :2]).prod(1)
    overlap = shared / (area + (box[:, 2:] - box[:, :2]).prod() - shared)
    assert anchor in learnt
    assert set(learnt.tolist()) <= set(torch.nonzero(overlap >= 0.5)[:, 0].tolist())
    # Smooth L1, beta 1/9, mean over the four numbers of the positive anchors.
    positive = torch.nonzero(overlap >= 0.5)[:, 0]
    codes = DetectionBoxCoder().encode_single(box.expand(len(positive), 4), anchors[positive])
    expected = torch.nn.functional.smooth_l1_loss(torch.zeros_like(codes), codes, beta=1 / 9)
    torch.testing.assert_close(found.pseudo_box.detach(), expected)


def test_an_unsure_teacher_or_an_absent_class_gives_no_box():
    for score, label in ((0.4, torch.nan), (0.9, 0.0)):
        _, teacher, _ = example(score)
        own = student(teacher.class_logits.shape[1])
        found = TeachingLoss(GRID)(own, teacher, torch.full((1, K), label), SIZE)
        assert float(found.pseudo_box) == float(found.soft_focal) == 0
        assert float(found.consistency) > 0


def test_agreement_costs_nothing():
    _, teacher, _ = example(0.9)
    own = output(teacher.class_logits.clone().requires_grad_(), teacher.box_deltas.clone().requires_grad_())
    found = TeachingLoss(GRID)(own, teacher, torch.full((1, K), torch.nan), SIZE)
    assert float(found.soft_focal) == float(found.consistency) == 0


def test_no_image_at_all_is_nothing():
    _, teacher, _ = example(0.9)
    own = student(teacher.class_logits.shape[1])
    empty = [DetectorOutput(*(part[:0] for part in one)) for one in (own, teacher)]
    found = TeachingLoss(GRID)(*empty, torch.zeros(0, K), SIZE)
    assert [float(value) for value in found] == [0, 0, 0]
    sum(found).backward()
