from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cxr_common.axes import picture_to_tensor
from cxr_common.segmentation import DistillationLoss
from tests import golden


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_parity(dtype, tolerance):
    g = golden.load("chexseg_dice")
    logits = picture_to_tensor(torch.from_numpy(g["logits"])).to(dtype)
    loss = DistillationLoss()(logits, logits.flip(0))  # temperature 10 is the default
    assert loss.item() == pytest.approx(float(g["distill_loss"]), abs=tolerance)


def test_the_student_that_agrees_has_no_gradient_and_the_teacher_never():
    maps = torch.randn(2, 3, 4, 4, dtype=torch.float64)
    student, teacher = maps.clone().requires_grad_(), maps.clone().requires_grad_()
    DistillationLoss(4.0)(student, teacher).backward()
    assert teacher.grad is None
    torch.testing.assert_close(student.grad, torch.zeros_like(maps))


def test_the_temperature_softens_both():
    s, t = torch.randn(2, 2, 5, 5, dtype=torch.float64), torch.randn(2, 2, 5, 5, dtype=torch.float64)
    expected = F.binary_cross_entropy(torch.sigmoid(s / 3), torch.sigmoid(t / 3))
    torch.testing.assert_close(DistillationLoss(3.0)(s, t), expected)
    with pytest.raises(ValueError, match="temperature"):
        DistillationLoss(0.0)


def test_a_class_the_teacher_does_not_know_is_left_out():
    s, t = torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 4, 4)
    t[:, 1] = torch.nan
    loss = DistillationLoss()(s, t)
    loss.backward()
    assert s.grad[:, 1].abs().max() == 0
    torch.testing.assert_close(loss, DistillationLoss()(s[:, [0, 2]], t[:, [0, 2]]))
