from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cxr_common.segmentation import MaskedBCELoss

NAN = float("nan")


def example():
    torch.manual_seed(0)
    maps = torch.randn(3, 4, 6, 5, dtype=torch.float64, requires_grad=True)
    return maps, (torch.rand(3, 4, 6, 5, dtype=torch.float64) < 0.3).double()


def test_with_everything_annotated_it_is_the_plain_mean():
    maps, target = example()
    torch.testing.assert_close(MaskedBCELoss()(maps, target), F.binary_cross_entropy_with_logits(maps, target))


def test_what_is_not_annotated_has_no_gradient_and_no_part_in_the_mean():
    maps, target = example()
    target[1, 0] = target[:, 2] = NAN
    loss = MaskedBCELoss()(maps, target)
    loss.backward()
    assert maps.grad[1, 0].abs().max() == 0
    assert maps.grad[:, 2].abs().max() == 0
    known = ~target.isnan()
    assert (maps.grad[known].abs() > 0).all()
    torch.testing.assert_close(loss, F.binary_cross_entropy_with_logits(maps[known], target[known]))


def test_nothing_annotated_costs_nothing():
    maps, target = example()
    loss = MaskedBCELoss()(maps, torch.full_like(target, NAN))
    loss.backward()
    assert loss.item() == 0
    assert maps.grad.abs().max() == 0


def test_half_precision_sums_do_not_overflow():
    maps = torch.zeros(2, 1, 400, 400, dtype=torch.float16)
    assert MaskedBCELoss()(maps, torch.ones_like(maps)).item() == pytest.approx(0.693147, abs=1e-5)
