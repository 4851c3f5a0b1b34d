import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cxr_common.axes import picture_to_tensor
from cxr_common.boxes import xywh_to_xyxy
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.metrics import box_overlap, exceeds, hit_rates, mask_overlap, wang_boxes
from tests import golden


@pytest.mark.parametrize("percent", [10, 25, 50])
def test_published_mask_level(percent):
    g = golden.load("pylon_localization")
    rows = [g["boxes"][g["boxes"][:, 0] == n] for n in range(len(g["seg_logits"]))]
    height, width = g["input_size"]
    heatmaps = upsample_heatmaps(picture_to_tensor(torch.from_numpy(g["seg_logits"])), (width, height))
    boxes, labels = [xywh_to_xyxy(r[:, 2:]) for r in rows], [r[:, 1].astype(int).tolist() for r in rows]
    iobb, iou = mask_overlap(heatmaps, boxes, labels)
    hits = exceeds(iobb, percent / 100)
    np.testing.assert_array_equal(hits, g[f"iobb_t{percent}_hit"])
    either = np.fmax(hits, exceeds(iou, percent / 100))
    np.testing.assert_array_equal(either, g[f"iobb_or_iou_t{percent}_hit"])
    rates = hit_rates(hits)
    np.testing.assert_allclose(rates.per_class, g[f"iobb_t{percent}_per_class"], atol=1e-12)
    assert rates.micro == pytest.approx(float(g[f"iobb_t{percent}_weighted"]), abs=1e-12)
    assert rates.macro == pytest.approx(float(g[f"iobb_t{percent}_macro"]), abs=1e-12)


def test_mask_level_by_hand():
    maps = np.zeros((1, 3, 10, 8))
    maps[0, 0, 2:6, 1:4] = 0.6
    maps[0, 0, 2, 1] = 1.0
    maps[0, 0, 9, 7] = 0.5  # exactly half the maximum is outside
    boxes, labels = [[[3.9, 1.2, 8.9, 3.7], [0, 7, 1, 8], [0, 0, 2, 2]]], [[0, 0, 1]]
    # Truncated: columns 3 to 7 and rows 1 to 2 of x, y, w, h = 3, 1, 5, 2; the mask is columns 2 to 5, rows 1 to 3.
    iobb, iou = mask_overlap(maps, boxes, labels)
    np.testing.assert_allclose(iobb, [[6 / 12, 0, np.nan]])
    np.testing.assert_allclose(iou, [[6 / (12 + 10 + 1 - 6), 0, np.nan]])
    np.testing.assert_array_equal(exceeds(iobb, 0.5), [[0, 0, np.nan]])


def test_truncation_survives_the_sum_of_left_and_width():
    maps = np.ones((1, 1, 20, 20))
    for x in np.arange(0.1, 9, 0.1):
        [[iou]] = mask_overlap(maps, [xywh_to_xyxy([[x, 0, 5, 20]])], [[0]])[1]
        assert iou == pytest.approx(5 / 20), x


def test_boxes_past_the_border_are_cut():
    [[iou]] = mask_overlap(np.ones((1, 1, 4, 4)), [[[-3, 2, 9, 9]]], [[0]])[1]
    assert iou == 0.5


@given(st.integers(0, 9999), st.floats(0.1, 9))
def test_mask_level_invariants(seed, scale):
    rng = np.random.default_rng(seed)
    maps = rng.random((1, 1, 9, 7))
    x0, y0 = rng.integers(0, 5), rng.integers(0, 4)
    box = np.array([[x0, y0, x0 + rng.integers(1, 5), y0 + rng.integers(1, 4)]], float)
    box[:, 2:] = np.minimum(box[:, 2:], [9, 7])
    iobb, iou = mask_overlap(maps, [box], [[0]])
    assert 0 <= iou.item() <= iobb.item() <= 1
    scaled = mask_overlap(maps * scale, [box], [[0]])
    np.testing.assert_allclose(scaled, (iobb, iou), atol=0.02)  # a pixel at half the maximum may fall either way
    flipped = box.copy()
    flipped[:, [0, 2]] = 9 - box[:, [2, 0]]
    np.testing.assert_array_equal(mask_overlap(maps[:, :, ::-1].copy(), [flipped], [[0]]), (iobb, iou))
    both = np.concatenate((box, box))
    np.testing.assert_array_equal(mask_overlap(maps, [both], [[0, 0]]), (iobb, iou))


def test_wang_boxes():
    heatmap = np.full((12, 10), 5.0)
    heatmap[1:4, 2:5] = 6.0  # 100 of 255: above the low cut only
    heatmap[8:11, 6:9] = 6.0
    heatmap[9, 7] = 7.55  # the maximum
    low = [[1, 2, 4, 5], [8, 6, 11, 9]]
    assert wang_boxes(heatmap).tolist() == [*low, [9, 7, 10, 8]]
    assert wang_boxes(-3 + heatmap * 10).tolist() == [*low, [9, 7, 10, 8]]
    assert wang_boxes(np.ones((3, 3))).shape == (0, 4)
    assert wang_boxes(np.eye(4), levels=[0.5]).tolist() == [[0, 0, 4, 4]], "corners touch"


def test_box_level_by_hand():
    detected = [[[[0, 0, 4, 4], [0, 0, 2, 2], [8, 8, 9, 9]], [], [[0, 0, 1, 1]]], [[[0, 0, 1, 1]], [], []]]
    boxes, labels = [[[0, 0, 4, 2], [5, 5, 6, 6]], None], [[0, 1], None]
    hits, false = box_overlap(detected, boxes, labels, "iou", 0.5)
    np.testing.assert_array_equal(hits, [[0, 0, np.nan], [np.nan] * 3])  # IoU is exactly .5 twice, and must be above
    np.testing.assert_array_equal(false, [[3, 0, np.nan], [np.nan] * 3])
    hits, false = box_overlap(detected, boxes, labels, "iou", 0.49)
    assert hits[0, 0] == 1 and false[0, 0] == 1
    hits, false = box_overlap(detected, boxes, labels, "iobb", 0.9)  # the small one lies wholly inside
    assert hits[0, 0] == 1 and false[0, 0] == 2


@given(st.integers(0, 9999), st.sampled_from(["iou", "iobb"]), st.sampled_from([0.0, 0.1, 0.25, 0.5]))
def test_box_level_against_pixels(seed, measure, threshold):
    rng = np.random.default_rng(seed)

    def draw(n):
        start = rng.integers(0, 8, (n, 2))
        return np.concatenate((start, start + rng.integers(1, 6, (n, 2))), axis=1)

    def pixels(box):
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    detected, truth = draw(3), draw(2)
    hits, false = box_overlap([[detected]], [truth], [[0, 0]], measure, threshold)
    matched = []
    for d in map(pixels, detected):
        values = [len(d & t) / len(d | t if measure == "iou" else d) for t in map(pixels, truth)]
        matched.append(any(v > threshold for v in values))
    assert hits.item() == any(matched) and false.item() == matched.count(False)


def test_count_mismatch_is_refused():
    with pytest.raises(ValueError, match="image 0 has 1 boxes and 2 box labels"):
        mask_overlap(np.ones((1, 1, 4, 4)), [[[0, 0, 1, 1]]], [[0, 0]])
