from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr_common.boxes import pairwise_iou
from cxr_common.detection.pseudo_boxes import select_pseudo_boxes

NAN = float("nan")


def published_order(boxes, probabilities, label, per_class=True):
    """Score > 0.01, greedy suppression at 0.5, score > 0.5, label; plain loops over (box, class) pairs."""
    pairs = sorted(
        ((probabilities[p, c], p, c) for p, c in np.ndindex(*probabilities.shape) if probabilities[p, c] > 0.01),
        reverse=True,
    )
    kept = []
    for score, p, c in pairs:
        if not any(k == c and pairwise_iou(boxes[[p]], boxes[[q]])[0, 0] > 0.5 for _, q, k in kept):
            kept.append((score, p, c))
    return [(score, p, c) for score, p, c in kept if score > 0.5 and label[c] != 0]


@pytest.mark.parametrize("seed", range(4))
def test_equals_the_published_order(seed):
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 40, (60, 2))
    boxes = np.concatenate((corner, corner + rng.integers(5, 30, (60, 2))), 1).astype(np.float32)
    probabilities = rng.permutation(60 * 4).reshape(60, 4).astype(np.float32) / 240
    label = np.array([1, 0, np.nan, -1], dtype=np.float32)
    found = select_pseudo_boxes(torch.from_numpy(boxes), torch.from_numpy(probabilities), torch.from_numpy(label))
    expected = published_order(boxes, probabilities, label)
    assert expected and [c for _, _, c in expected] == found.labels.tolist()
    np.testing.assert_array_equal(found.scores.numpy(), [s for s, _, _ in expected])
    np.testing.assert_array_equal(found.boxes.numpy(), boxes[[p for _, p, _ in expected]])


def test_boxes_keep_their_own_scores_and_classes():
    """The published code indexes the boxes before suppression by positions after it."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60]])
    probabilities = torch.tensor([[0.6, 0.0], [0.9, 0.0], [0.0, 0.7]])
    found = select_pseudo_boxes(boxes, probabilities, None)
    assert torch.equal(found.boxes, boxes[[1, 2]])
    assert found.labels.tolist() == [0, 1] and found.scores.tolist() == pytest.approx([0.9, 0.7])


def test_an_unlabelled_image_keeps_every_class():
    """The published code takes an unlabelled image for one without findings, and drops all its boxes."""
    boxes = torch.tensor([[0.0, 0, 10, 10]])
    for label in (None, torch.full((2,), NAN)):
        assert select_pseudo_boxes(boxes, torch.tensor([[0.8, 0.7]]), label).labels.tolist() == [0, 1]
    assert select_pseudo_boxes(boxes, torch.tensor([[0.8, 0.7]]), torch.tensor([0.0, NAN])).labels.tolist() == [1]


def test_no_sure_box():
    found = select_pseudo_boxes(torch.rand(5, 4), torch.full((5, 3), 0.5), None)
    assert found.boxes.shape == (0, 4) and len(found.scores) == 0 and found.labels.dtype == torch.long
