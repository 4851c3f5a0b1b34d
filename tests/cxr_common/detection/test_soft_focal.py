"""Soft focal loss against the golden numbers, the focal loss, and the published batch mix-up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cxr_common.boxes import pairwise_iou
from cxr_common.detection import SoftFocalLoss, soft_focal_terms
from tests import golden


def test_terms():
    g = {k: torch.from_numpy(v) for k, v in golden.load("oxnet_soft_focal").items() if v.ndim}
    torch.testing.assert_close(soft_focal_terms(g["q"], g["qT"]), g["element"], atol=1e-9, rtol=0)
    extreme = soft_focal_terms(g["q_extreme"], g["qT_extreme"])
    torch.testing.assert_close(extreme, g["element_extreme_alpha_clamped"], atol=1e-9, rtol=0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-4)])
def test_an_image(dtype, tolerance):
    g = golden.load("oxnet_soft_focal")
    overlap = pairwise_iou(g["anchors"], g["pseudo_boxes"][:, :4])
    best = overlap.max(1)
    matches = torch.from_numpy(np.where(best >= 0.5, overlap.argmax(1), np.where(best < 0.4, -1, -2)))[None]
    assert int((matches >= 0).sum()) == int(g["n_pos"]) and int((matches == -2).sum()) == int(g["n_ignored"])
    student, teacher = (torch.from_numpy(g[k]).to(dtype)[None] for k in ("student_prob", "teacher_prob"))
    loss = SoftFocalLoss()(torch.logit(student), teacher, matches, torch.tensor([3]))
    assert loss.item() == pytest.approx(float(g["sfl_total"]), abs=tolerance)


def test_a_hard_teacher_gives_the_focal_loss():
    torch.manual_seed(0)
    q, target = torch.rand(50, dtype=torch.float64) * 0.98 + 0.01, torch.randint(0, 2, (50,)).double()
    p_t = torch.where(target == 1, q, 1 - q)
    focal = torch.where(target == 1, 0.95, 0.05) * (1 - p_t) ** 2 * F.binary_cross_entropy(q, target, reduction="none")
    torch.testing.assert_close(soft_focal_terms(q, target), focal, atol=2e-3, rtol=2e-3)  # 1e-4 off hard targets


def batch(n=3, anchors=20, classes=2):
    torch.manual_seed(1)
    logits = torch.randn(n, anchors, classes, dtype=torch.float64, requires_grad=True)
    teacher = torch.rand(n, anchors, classes, dtype=torch.float64)
    return logits, teacher, torch.randint(-2, 3, (n, anchors)), torch.ones(n, dtype=torch.long)


def test_equals_a_plain_loop():
    logits, teacher, matches, boxes = batch()
    images = []
    for z, t, m in zip(logits, teacher, matches):
        q, total = torch.sigmoid(z), 0.0
        for a in range(20):
            if m[a] != -2:
                for c in range(2):
                    x, y = q[a, c].item(), t[a, c].item()
                    entropy = -(y * np.log(x) + (1 - y) * np.log(1 - x))
                    total += (0.05 + 0.9 * y) * (y - x) ** 2 * entropy
        images.append(total / max(1, int((m >= 0).sum())))
    loss = SoftFocalLoss()(logits, teacher, matches, boxes)
    assert loss.item() == pytest.approx(np.mean(images), rel=1e-6)


def test_an_image_does_not_depend_on_the_others():
    """The published alpha is the whole teacher batch's, which adds up to a multiple with mixed weights."""
    logits, teacher, matches, boxes = batch()
    loss = SoftFocalLoss()
    alone = [loss(*(t[[i]] for t in (logits, teacher, matches, boxes))) for i in range(3)]
    torch.testing.assert_close(loss(logits, teacher, matches, boxes), torch.stack(alone).mean())


def test_images_without_pseudo_boxes():
    logits, teacher, matches, boxes = batch()
    boxes[1] = 0
    loss = SoftFocalLoss()(logits, teacher, matches, boxes)
    loss.backward()
    assert not logits.grad[1].any() and logits.grad[0].any()
    assert SoftFocalLoss(all_images=True)(logits, teacher, matches, boxes) > loss
    none = SoftFocalLoss()(logits[:0], teacher[:0], matches[:0], boxes[:0])
    assert none.item() == 0


def test_ignored_anchors_and_the_teacher_get_no_gradient():
    logits, teacher, matches, boxes = batch()
    teacher.requires_grad_()
    SoftFocalLoss()(logits, teacher, matches, boxes).backward()
    assert teacher.grad is None
    assert not logits.grad[matches == -2].any() and logits.grad[matches != -2].all()
