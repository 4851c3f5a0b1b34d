from __future__ import annotations

import math

import pytest
import torch

from cxr_common.localization import ImageLabelLoss, LabelAndPlaceLoss, place_loss
from cxr_common.networks import average_pool


def test_value_by_hand():
    maps = torch.tensor([[[[0.0, math.log(2)], [math.log(3), math.log(4)]]]])  # shares .1, .2, .3, .4
    place = torch.tensor([[[[0, 1], [1, 0]]]])
    loss = place_loss(maps, torch.tensor([[1.0]]), place)
    assert float(loss) == pytest.approx(-math.log(0.5))


def test_the_level_of_a_map_does_not_count():
    torch.manual_seed(0)
    maps, label, place = torch.randn(2, 3, 4, 4), torch.ones(2, 3), torch.randint(0, 2, (2, 3, 8, 8))
    torch.testing.assert_close(place_loss(maps + 5, label, place), place_loss(maps, label, place))


def test_only_present_classes_count():
    torch.manual_seed(0)
    maps, place = torch.randn(1, 4, 4, 4, requires_grad=True), torch.zeros(1, 4, 4, 4)
    place[:, :, 0, 0] = 1
    place_loss(maps, torch.tensor([[1.0, 0.0, -1.0, math.nan]]), place).backward()
    assert maps.grad[0, 0].abs().sum() > 0 and maps.grad[0, 1:].abs().sum() == 0


def test_descent_moves_the_largest_pixel_into_the_place():
    maps = torch.zeros(1, 1, 8, 8)
    maps[0, 0, 7, 7] = 5
    maps.requires_grad_()
    place = torch.zeros(1, 1, 8, 8)
    place[0, 0, 1:3, 2:4] = 1
    optimizer = torch.optim.SGD([maps], lr=2.0)
    for _ in range(200):
        optimizer.zero_grad()
        place_loss(maps, torch.ones(1, 1), place).backward()
        optimizer.step()
    x, y = divmod(int(maps[0, 0].argmax()), 8)
    assert 1 <= x < 3 and 2 <= y < 4


def test_a_place_smaller_than_a_cell_keeps_its_cell():
    maps = torch.zeros(1, 1, 2, 2)
    place = torch.zeros(1, 1, 64, 64)
    place[0, 0, 40, 3] = 1
    assert float(place_loss(maps, torch.ones(1, 1), place)) == pytest.approx(math.log(4))


def test_without_anything_known_the_loss_is_0_and_has_a_gradient():
    maps = torch.randn(1, 2, 4, 4, requires_grad=True)
    loss = place_loss(maps, torch.tensor([[0.0, 1.0]]), torch.zeros(1, 2, 4, 4))
    loss.backward()
    assert float(loss) == 0 and not maps.grad.any()


def test_both_losses_together():
    torch.manual_seed(0)
    maps, label, place = torch.randn(2, 3, 4, 4), torch.tensor([[1.0, 0, 1]] * 2), torch.randint(0, 2, (2, 3, 4, 4))
    labels = ImageLabelLoss(average_pool)
    both = LabelAndPlaceLoss(labels, 0.5)(maps, {"label": label, "place": place})
    torch.testing.assert_close(both, labels(maps, label) + 0.5 * place_loss(maps, label, place))
