from __future__ import annotations

import pytest
import torch
from monai.losses import DiceLoss

from cxr_common.axes import picture_to_tensor
from cxr_common.segmentation import SoftDiceLoss
from tests import golden

NAN = float("nan")


def example():
    torch.manual_seed(0)
    maps = torch.randn(3, 4, 6, 5, dtype=torch.float64, requires_grad=True)
    return maps, (torch.rand(3, 4, 6, 5, dtype=torch.float64) < 0.3).double()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_parity(dtype, tolerance):
    g = golden.load("chexseg_dice")
    logits, target, gradient = (picture_to_tensor(torch.from_numpy(g[k])) for k in ("logits", "target", "grad_logits"))
    maps = logits.to(dtype).contiguous().requires_grad_()
    loss = SoftDiceLoss()(maps, target.to(dtype))
    loss.backward()
    assert loss.item() == pytest.approx(float(g["loss"]), abs=tolerance)
    torch.testing.assert_close(maps.grad, gradient.to(dtype), atol=tolerance, rtol=0)


def test_with_everything_annotated_it_is_monais():
    maps, target = example()
    expected = DiceLoss(sigmoid=True, batch=True, smooth_nr=1, smooth_dr=1)(maps, target)
    torch.testing.assert_close(SoftDiceLoss()(maps, target), expected)


def test_what_is_not_annotated_is_as_if_it_were_not_there():
    maps, target = example()
    target[1, 0] = target[:, 2] = NAN  # class 0 in one image, class 2 nowhere
    loss = SoftDiceLoss()(maps, target)
    loss.backward()
    assert maps.grad[1, 0].abs().max() == 0
    assert maps.grad[:, 2].abs().max() == 0
    assert (maps.grad[0, 0].abs() > 0).all()
    alone = [SoftDiceLoss()(maps[[0, 2], :1], target[[0, 2], :1])]
    alone += [SoftDiceLoss()(maps[:, [c]], target[:, [c]]) for c in (1, 3)]
    torch.testing.assert_close(loss, torch.stack(alone).mean())


def test_annotated_and_empty_is_learnt():
    maps, _ = example()
    SoftDiceLoss()(maps, torch.zeros_like(maps)).backward()
    assert (maps.grad > 0).all()  # every probability is to fall


def test_single_pixels_may_be_unknown():
    maps, target = example()
    target[0, 1, :3] = NAN
    loss = SoftDiceLoss()(maps, target)
    loss.backward()
    assert maps.grad[0, 1, :3].abs().max() == 0
    assert (maps.grad[0, 1, 3:].abs() > 0).all()


def test_nothing_annotated_costs_nothing():
    maps, target = example()
    loss = SoftDiceLoss()(maps, torch.full_like(target, NAN))
    loss.backward()
    assert loss.item() == 0
    assert maps.grad.abs().max() == 0


def test_half_precision_sums_do_not_overflow():
    maps = torch.full((2, 1, 300, 300), 3.0, dtype=torch.float16)
    loss = SoftDiceLoss()(maps, torch.ones(2, 1, 300, 300, dtype=torch.float16))
    assert loss.dtype == torch.float32
    p = torch.sigmoid(torch.tensor(3.0)).item()
    assert loss.item() == pytest.approx(1 - 2 * p / (p + 1), abs=1e-4)


def test_with_a_tiny_smooth_a_batch_without_a_class_leaves_it_alone():
    """Published, such batches push what is left of a rare class to 0, and it stays there."""
    target = torch.zeros(2, 1, 16, 16)
    target[0, 0, :2, :2] = 1
    found = {}
    for smooth in (1.0, 1e-5):
        maps = torch.full((2, 1, 16, 16), -5.0, requires_grad=True)
        optimizer = torch.optim.SGD([maps], lr=100.0)
        for step in range(400):
            optimizer.zero_grad()
            SoftDiceLoss(smooth)(maps, target if step % 4 == 3 else torch.zeros_like(target)).backward()
            optimizer.step()
        found[smooth] = maps.detach()[0, 0, 0, 0].item()
    assert found[1.0] < -5
    assert found[1e-5] > 2
