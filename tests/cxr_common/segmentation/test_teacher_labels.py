from __future__ import annotations

import pytest
import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.networks import save_weights
from cxr_common.segmentation import TeacherLabels


def test_labels_are_the_teachers_logits(tmp_path):
    torch.manual_seed(0)
    teacher, student = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 2, 1)
    save_weights(teacher, tmp_path / "model.pt")
    before = student.weight.clone()
    image = torch.randn(3, 1, 4, 5)
    got, label = TeacherLabels(student, tmp_path / "model.pt")({"image": image, "label": torch.zeros(3, 2, 4, 5)})
    assert torch.equal(got, image)
    assert not label.requires_grad
    torch.testing.assert_close(label, teacher(image).detach(), atol=2e-3, rtol=2e-3)  # stored as float16
    assert torch.equal(student.weight, before)


def test_no_teacher_is_an_error():
    with pytest.raises(InputError, match="no teacher"):
        TeacherLabels(nn.Conv2d(1, 2, 1), None)
