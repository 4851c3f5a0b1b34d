from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from cxr_common.errors import InputError
from cxr_common.localization import ImageLabelLoss, positive_weights
from cxr_common.networks import average_pool, max_pool

NAN = float("nan")


def test_without_gaps_it_is_the_plain_mean_of_the_paper():
    maps, label = torch.randn(4, 3, 5, 6), torch.randint(0, 2, (4, 3)).float()
    expected = F.binary_cross_entropy_with_logits(maps.amax((-2, -1)), label)
    torch.testing.assert_close(ImageLabelLoss(max_pool)(maps, label), expected)


def test_what_is_not_annotated_has_no_gradient_and_no_part_in_the_mean():
    maps = torch.randn(2, 3, 4, 4, requires_grad=True)
    label = torch.tensor([[1, NAN, 0], [NAN, NAN, 1.0]])
    loss = ImageLabelLoss(average_pool)(maps, label)
    logits = maps.mean((-2, -1))
    by_hand = (F.softplus(-logits[0, 0]) + F.softplus(logits[0, 2]) + F.softplus(-logits[1, 2])) / 3
    torch.testing.assert_close(loss, by_hand)
    loss.backward()
    assert maps.grad[:, 1].abs().max() == 0
    assert maps.grad[1, 0].abs().max() == 0
    assert maps.grad[0, 0].abs().max() > 0


def test_a_batch_without_any_label_costs_nothing():
    maps = torch.randn(2, 1, 4, 4, requires_grad=True)
    loss = ImageLabelLoss(max_pool)(maps, torch.full((2, 1), NAN))
    loss.backward()
    assert loss.item() == 0
    assert maps.grad.abs().max() == 0


def test_unknown_policy_fails_at_once():
    with pytest.raises(ValueError, match="zeros"):
        ImageLabelLoss(max_pool, policy="guess")


def test_positive_weights_are_capped_ratios():
    items = [{"label": [1, 0, None]}, {"label": [0, 0, 1]}, {"label": [0, 1, 0]}] + [{"label": [0, -1, None]}] * 30
    assert positive_weights(items, ["a", "b", "c"]) == [20.0, 2.0, 1.0]
    assert positive_weights(items, ["a", "b", "c"], power=0.5) == pytest.approx([32**0.5, 2**0.5, 1.0])
    maps, label = torch.zeros(1, 3, 2, 2), torch.tensor([[1.0, 1.0, 0.0]])
    loss = ImageLabelLoss(max_pool, positive_weight=[20, 2, 1])(maps, label)
    assert loss.item() == pytest.approx(math.log(2) * 23 / 3)


def test_a_class_without_present_labels_cannot_be_balanced():
    with pytest.raises(InputError, match="no image has b annotated as present"):
        positive_weights([{"label": [1, 0]}, {"label": [0, None]}], ["a", "b"])
