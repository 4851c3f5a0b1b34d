"""Losses of the inter-pixel relation network against the published numbers."""

from __future__ import annotations

import pytest
import torch

from cxr_common.axes import picture_to_tensor
from cxr_common.refinement import InterPixelLoss, inter_pixel_losses
from tests import golden


def case(dtype):
    """The golden tensors in our axes: displacement (row, column) becomes (x, y)."""
    g = {k: torch.from_numpy(v) for k, v in golden.load("irn_losses").items() if v.ndim}
    edge = picture_to_tensor(g["edge_logits"]).to(dtype).contiguous().requires_grad_()
    displacement = picture_to_tensor(g["dp"]).flip(1).to(dtype).contiguous().requires_grad_()
    return edge, displacement, picture_to_tensor(g["label_reduced"]).long(), golden.load("irn_losses")


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_parity(dtype, tolerance):
    edge, displacement, label, expected = case(dtype)
    losses = inter_pixel_losses(torch.sigmoid(edge), displacement, label, radius=10)
    names = ("loss_pos_bg", "loss_pos_fg", "loss_neg", "loss_dp_fg", "loss_dp_bg")
    for name, value in zip(names, losses):
        assert value.item() == pytest.approx(float(expected[name]), rel=tolerance), name
    assert losses.total.item() == pytest.approx(float(expected["loss_total"]), rel=tolerance)


def test_parity_of_gradients():
    edge, displacement, label, expected = case(torch.float64)
    inter_pixel_losses(torch.sigmoid(edge), displacement, label, radius=10).total.backward()
    torch.testing.assert_close(
        edge.grad, picture_to_tensor(torch.from_numpy(expected["grad_edge_logits"])), atol=1e-9, rtol=0
    )
    torch.testing.assert_close(
        displacement.grad, picture_to_tensor(torch.from_numpy(expected["grad_dp"])).flip(1), atol=1e-9, rtol=0
    )


def example(tasks=1):
    torch.manual_seed(0)
    label = torch.randint(0, 3, (2, tasks, 12, 11))
    label[torch.rand(label.shape) < 0.2] = 255
    return torch.randn(2, 3, 12, 11, dtype=torch.float64), label


def test_several_labellings_are_averaged_and_their_order_does_not_matter():
    output, label = example(tasks=3)
    loss = InterPixelLoss(radius=3)
    each = torch.stack([loss(output, label[:, [t]]) for t in range(3)])
    torch.testing.assert_close(loss(output, label), each.mean())
    torch.testing.assert_close(loss(output, label.flip(1)), each.mean())


def test_a_labelling_that_is_ignored_everywhere_does_not_count():
    output, label = example()
    empty = torch.full_like(label, 255)
    loss = InterPixelLoss(radius=3)
    torch.testing.assert_close(loss(output, torch.cat([label, empty], 1)), loss(output, label))
    assert loss(output.requires_grad_(), empty).item() == 0


def test_pixels_that_point_to_one_centre_have_no_foreground_displacement_loss():
    x, y = torch.meshgrid(torch.arange(12.0), torch.arange(11.0), indexing="ij")
    to_centre = torch.stack((5 - x, 4 - y))[None]
    label = torch.ones(1, 12, 11, dtype=torch.long)
    losses = inter_pixel_losses(torch.full((1, 1, 12, 11), 0.1), to_centre, label, radius=3)
    assert losses.displacement_foreground.item() == pytest.approx(0, abs=1e-6)
    assert losses.negative.item() == 0


def test_a_wall_between_two_classes_is_what_the_loss_asks_for():
    label = torch.ones(1, 14, 11, dtype=torch.long)
    label[:, 7:] = 2
    wall, none = torch.zeros(1, 1, 14, 11), torch.zeros(1, 1, 14, 11)
    wall[:, :, 7] = 0.999
    with_wall, without = (
        inter_pixel_losses(b, torch.zeros(1, 2, 14, 11), label, radius=3).negative for b in (wall, none)
    )
    assert with_wall < 0.01 < without
