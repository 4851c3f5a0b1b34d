"""Which images each term of the loss looks at, and what switching it off does."""

from __future__ import annotations

import pytest
import torch

from cxr_common.detection import AnchorGrid, DetectionLoss, DetectorOutput, GlobalPrototypes, OmniLoss
from cxr_common.detection.omni_loss import TAUGHT, WEIGHTS, without_boxes
from cxr_common.detection.teaching import TeachingLoss

SIZE, K, M = (64, 32), 3, 5
NAN = float("nan")
GRID = AnchorGrid(levels=(3, 4), side=2)


def output(n, seed=0):
    torch.manual_seed(seed)
    count = len(GRID.boxes(SIZE))
    maps = torch.randn(n, K, 2, 1, requires_grad=True), torch.rand(n, M, 2, 1, requires_grad=True)
    return DetectorOutput(
        torch.randn(n, count, K, requires_grad=True), torch.randn(n, count, 4, requires_grad=True), *maps
    )


def batch():
    """Boxes and label; boxes: [] and label; a label; nothing."""
    boxes = torch.zeros(4, 2, 5)
    boxes[..., 4] = -1
    boxes[0, 0] = torch.tensor([3.0, 4.0, 20.0, 18.0, 1.0])
    known = torch.tensor([[1.0] * K, [1.0] * K, [0.0] * K, [0.0] * K])
    label = torch.tensor([[0, 1, 0], [0, 0, 0], [1, 0, -1], [NAN] * K])
    return {"boxes": boxes, "box_known": known, "label": label}


def make(**weights):
    teaching = TeachingLoss(GRID, min_score=0.5)
    return OmniLoss(DetectionLoss(GRID), GlobalPrototypes(K, M), teaching, weights=weights)


def only(name, **changed):
    """The loss of one term alone, and the gradient of the student's class logits by image."""
    student, loss = output(4), make(**{**dict.fromkeys(WEIGHTS, 0), name: 1})
    teacher = DetectorOutput(*(part.detach() for part in output(2, 1)))
    terms = loss(student, {**batch(), **changed}, SIZE, teacher)
    assert set(terms) == {"loss", name}
    terms["loss"].backward()
    return terms["loss"], [bool(g.any()) for g in student.class_logits.grad]


def test_images_without_boxes_are_those_with_no_class_annotated():
    assert without_boxes(batch()["box_known"]).tolist() == [False, False, True, True]


def test_each_term_teaches_the_images_it_is_meant_for():
    assert only("boxes")[1] == [True, True, False, False]
    assert only("label")[1] == [True, True, True, False]
    assert only("soft_focal")[1] == [False, False, True, True]
    assert only("consistency")[1] == [False, False, True, True]
    assert only("prototypes")[1][3] is False


def test_pseudo_boxes_move_the_boxes_of_images_without_any():
    student, loss = output(4), make(**{**dict.fromkeys(WEIGHTS, 0), "pseudo_boxes": 1})
    loss(student, batch(), SIZE, DetectorOutput(*(p.detach() for p in output(2, 1))))["loss"].backward()
    assert [bool(g.any()) for g in student.box_deltas.grad] == [False, False, True, True]


def test_the_loss_is_the_weighted_sum_and_the_ramp_is_of_the_teachers_terms():
    teacher = DetectorOutput(*(part.detach() for part in output(2, 1)))
    weights = {
        "boxes": 2.0,
        "label": 3.0,
        "prototypes": 0.5,
        "soft_focal": 4.0,
        "pseudo_boxes": 5.0,
        "consistency": 6.0,
    }
    terms = make(**weights)(output(4), batch(), SIZE, teacher, ramp=0.25)
    expected = sum(w * (0.25 if n in TAUGHT else 1) * terms[n] for n, w in weights.items())
    assert all(float(terms[n]) > 0 for n in weights)
    torch.testing.assert_close(terms["loss"], expected)


def test_a_batch_with_nothing_annotated_and_one_with_all_of_it_have_finite_losses():
    nothing = {"boxes": batch()["boxes"][3:], "box_known": torch.zeros(1, K), "label": torch.full((1, K), NAN)}
    everything = {key: value[:1] for key, value in batch().items()}
    for data, taught in ((nothing, 1), (everything, 0)):
        student = output(1)
        teacher = DetectorOutput(*(part.detach()[:taught] for part in output(1, 1)))
        terms = make()(student, data, SIZE, teacher)
        terms["loss"].backward()
        assert all(torch.isfinite(value) for value in terms.values())
        assert all(torch.isfinite(part.grad).all() for part in student if part.grad is not None)


def test_everything_off_is_nothing_learnt():
    student = output(4)
    terms = make(**dict.fromkeys(WEIGHTS, 0))(student, batch(), SIZE)
    terms["loss"].backward()
    assert float(terms["loss"]) == 0
    assert not student.class_logits.grad.any()


def test_logits_of_half_precision_do_not_make_the_loss_nan():
    """Of 200,000 anchors' logits of a new network the sum leaves float16."""
    student = output(4)
    large = torch.full((4, 5000, K), -4.6, dtype=torch.float16)
    assert large.sum().isinf()
    terms = make(**dict.fromkeys(WEIGHTS, 0))(student._replace(class_logits=large), batch(), SIZE)
    assert float(terms["loss"]) == 0


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="unknown terms box"):
        make(box=1.0)
    with pytest.raises(ValueError, match="GlobalPrototypes"):
        OmniLoss(DetectionLoss(GRID))
    with pytest.raises(ValueError, match="teacher"):
        make()(output(4), batch(), SIZE)
