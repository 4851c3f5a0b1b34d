from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.apps.detection.utils.ATSS_matcher import ATSSMatcher

from cxr_common.boxes import pairwise_iou
from cxr_common.detection import AnchorGrid, IoUMatcher, match_anchors
from tests import golden

SIZE = (96, 64)


@pytest.fixture
def grid():
    return AnchorGrid(levels=(3, 4), side=2)


def random_boxes(seed, count):
    low = np.random.default_rng(seed).uniform(0, 50, (count, 2))
    return np.hstack([low, low + np.random.default_rng(seed + 99).uniform(8, 40, (count, 2))]).astype(np.float32)


def match(matcher, boxes, grid):
    anchors = grid.boxes(SIZE)
    return match_anchors(matcher, torch.as_tensor(boxes), anchors, grid.counts(SIZE), grid.per_cell).numpy()


@pytest.mark.parametrize("seed", range(4))
def test_thresholds_by_definition(seed, grid):
    boxes = random_boxes(seed, 5)
    iou = pairwise_iou(boxes, grid.boxes(SIZE).numpy())
    best = iou.max(0)
    expected = np.where(best >= 0.5, iou.argmax(0), np.where(best < 0.4, -1, -2))
    found = match(IoUMatcher(), boxes, grid)
    clear = np.abs(best[:, None] - [0.4, 0.5]).min(1) > 1e-5
    assert (found[clear] == expected[clear]).all()
    assert {-1, -2} < set(found.tolist())


def test_published_matches():
    g = golden.load("oxnet_focal")
    anchors = torch.from_numpy(g["anchors"])
    for n, rows in enumerate(torch.from_numpy(g["annotations"])):
        boxes = rows[rows[:, 4] >= 0, :4]
        matches = match_anchors(IoUMatcher(), boxes, anchors, [len(anchors)], 9)
        assert (matches >= 0).sum() == g["n_pos"][n]
        if len(boxes):
            iou, _ = IoUMatcher()(boxes, anchors, [], 9)
            torch.testing.assert_close(iou.amax(0), torch.from_numpy(g["iou_max"][n]), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("seed", "in_box"), [(0, False), (1, False), (0, True)])
def test_adaptive_selection_by_definition(seed, in_box, grid):
    """ATSS (Zhang 2020, arXiv 1912.02424, algorithm 1), MONAI's matcher, called with our anchors and counts."""
    boxes = random_boxes(seed, 3)
    anchors = grid.boxes(SIZE).numpy()
    centre = (anchors[:, :2] + anchors[:, 2:]) / 2
    iou = pairwise_iou(boxes, anchors)
    claims = np.full(iou.shape, -np.inf)
    for b, box in enumerate(boxes):
        distance = np.linalg.norm((centre - (box[:2] + box[2:]) / 2).astype(np.float64), axis=1)
        candidates, start = [], 0
        for count in grid.counts(SIZE):
            # Of a level the nearest 2 cells; all nine anchors of a cell are equally far.
            candidates += [start + i for i in np.argsort(distance[start : start + count], kind="stable")[: 2 * 9]]
            start += count
        threshold = iou[b, candidates].mean() + iou[b, candidates].std(ddof=1)
        for a in candidates:
            inside = min(*(centre[a] - box[:2]), *(box[2:] - centre[a])) > 0.01
            if iou[b, a] >= threshold and (inside or not in_box):
                claims[b, a] = iou[b, a]
    expected = np.where(claims.max(0) == -np.inf, -1, claims.argmax(0))
    assert (match(ATSSMatcher(2, center_in_gt=in_box), boxes, grid) == expected).all()
    assert (expected >= 0).any()


@pytest.mark.parametrize("matcher", [IoUMatcher(), ATSSMatcher(2)])
def test_without_boxes_all_is_background(matcher, grid):
    assert set(match(matcher, np.zeros((0, 4), np.float32), grid)) == {-1}


@pytest.mark.parametrize("thresholds", [(0.4, 0.5), (0.5, 0), (1.5, 0.4)])
def test_impossible_thresholds_are_refused(thresholds):
    with pytest.raises(ValueError, match="negative <= positive"):
        IoUMatcher(*thresholds)
