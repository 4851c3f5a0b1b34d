from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from cxr_common.segmentation import CompetingLoss, PictureTargets


@pytest.fixture
def example():
    torch.manual_seed(0)
    maps = torch.randn(2, 4, 16, 12, requires_grad=True)
    label = torch.randint(0, 4, (2, 16, 12))
    label[0, :3] = 255
    return maps, label


def test_void_pixels_have_no_part_in_the_cross_entropy(example):
    maps, label = example
    loss = CompetingLoss()(maps, label)
    torch.testing.assert_close(loss, F.cross_entropy(maps, label, ignore_index=255))
    loss.backward()
    assert maps.grad[0, :, :3].abs().max() == 0 and maps.grad[0, :, 3:].abs().min() > 0
    assert CompetingLoss()(maps, torch.full_like(label, 255)).item() == 0


def test_the_crf_pulls_edges_to_edges_of_the_picture(example):
    """Where the picture is of two halves, a network that is unsure near the edge is told to put its edge there."""
    _, label = example
    picture = torch.zeros(1, 3, 16, 16)
    picture[..., 8:] = 200
    maps = torch.zeros(1, 2, 16, 16)
    maps[:, 1, :, 10:] = 3.0
    maps[:, 0, :, :4] = 3.0
    maps.requires_grad_()
    target = {"label": torch.full((1, 16, 16), 255), "picture": picture}
    CompetingLoss(crf_weight=1.0, stride=1)(maps, target).backward()
    assert (maps.grad[0, 1, :, 8] < 0).all() and (maps.grad[0, 1, :, 7] > 0).all()


def test_both_terms_are_weighed(example):
    maps, label = example
    target = {"label": label, "picture": torch.rand(2, 3, 16, 12) * 255}
    entropy, distance = (CompetingLoss(w)(maps, target) for w in (0.0, 1.0))
    torch.testing.assert_close(CompetingLoss(0.25)(maps, target), 0.75 * entropy + 0.25 * distance)
    torch.testing.assert_close(entropy, CompetingLoss()(maps, label))
    assert distance > 0


def test_targets_hold_the_picture_that_was_normalised():
    picture = torch.rand(2, 3, 5, 4)
    mean, deviation = [0.4, 0.5, 0.6], [0.2, 0.3, 0.4]
    image = (picture - torch.tensor(mean).view(-1, 1, 1)) / torch.tensor(deviation).view(-1, 1, 1)
    given = {"image": image, "label": torch.zeros(2, 5, 4, dtype=torch.int64)}
    same, target = PictureTargets(mean, deviation)(given, "cpu")
    assert same is image and target["label"] is given["label"]
    torch.testing.assert_close(target["picture"], 255 * picture)
