import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cxr_common.axes import picture_to_tensor
from cxr_common.boxes import xywh_to_xyxy
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.metrics import chexlocalize_hits, hit_rates, point_hits, point_hits_in_masks, points_in_boxes
from tests import golden


@pytest.fixture(scope="module")
def published():
    g = golden.load("pylon_localization")
    rows = [g["boxes"][g["boxes"][:, 0] == n] for n in range(len(g["seg_logits"]))]
    boxes = [xywh_to_xyxy(r[:, 2:]) for r in rows]
    labels = [r[:, 1].astype(int).tolist() for r in rows]
    height, width = g["input_size"]
    heatmaps = upsample_heatmaps(picture_to_tensor(torch.from_numpy(g["seg_logits"])), (width, height))
    return g, heatmaps, boxes, labels


def test_published_heatmap_and_points(published):
    g, heatmaps, boxes, labels = published
    expected = picture_to_tensor(g["heatmap_up_01"])
    np.testing.assert_allclose(heatmaps[0, 1].numpy(), expected, atol=1e-12)
    hits = point_hits(heatmaps, boxes, labels)
    np.testing.assert_array_equal(hits, g["point_hit"])
    rates = hit_rates(hits)
    np.testing.assert_allclose(rates.per_class, g["point_per_class"], atol=1e-12)
    assert rates.micro == pytest.approx(float(g["point_weighted"]), abs=1e-12)
    assert rates.macro == pytest.approx(float(g["point_macro"]), abs=1e-12)


@pytest.mark.parametrize(
    ("point", "hit"),
    [((2, 3), 1), ((6, 8), 1), ((1, 5), 0), ((7, 5), 0), ((4, 2), 0), ((4, 9), 0), ((3, 7), 1)],
)
def test_the_rule_is_inclusive_and_does_not_swap_axes(point, hit):
    maps = torch.zeros(1, 1, 10, 20)
    maps[0, 0, point[0], point[1]] = 1
    assert point_hits(maps, [[[2, 3, 6, 8]]], [[0]]).item() == hit


def test_any_box_of_the_class_and_only_of_the_class():
    points = [[[5, 5], [5, 5], [5, 5]]] * 3
    boxes = [[[0, 0, 1, 1], [4, 4, 6, 6], [0, 0, 1, 1]], None, []]
    hits = points_in_boxes(points, boxes, [[0, 0, 1], None, []])
    np.testing.assert_array_equal(hits, [[1, 0, np.nan], [np.nan] * 3, [np.nan] * 3])


def test_ties_take_the_first_pixel_of_the_picture_row_by_row():
    maps = torch.zeros(1, 1, 4, 4)
    maps[0, 0, 3, 0] = maps[0, 0, 0, 1] = 1  # (x 3, row 0) comes before (x 0, row 1)
    assert point_hits(maps, [[[3, 0, 3.5, 0.5]]], [[0]]).item() == 1
    assert point_hits(maps, [[[0, 1, 0.5, 1.5]]], [[0]]).item() == 0


def test_misfitting_lists_are_refused():
    maps = torch.zeros(2, 1, 4, 4)
    with pytest.raises(ValueError, match="2 heatmaps need as many"):
        point_hits(maps, [[]], [[]])
    with pytest.raises(ValueError):
        point_hits(maps, [[[0, 0, 1, 1]], None], [[0, 0], None])


coordinates = st.integers(0, 15)
boxes_of_image = st.lists(st.tuples(coordinates, coordinates, st.integers(1, 9), st.integers(1, 9)), max_size=4)


@st.composite
def annotated_maps(draw):
    boxes = draw(boxes_of_image)
    labels = draw(st.lists(st.integers(0, 1), min_size=len(boxes), max_size=len(boxes)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    maps = torch.from_numpy(rng.permutation(2 * 16 * 12).reshape(1, 2, 16, 12).astype(float))  # no ties
    return maps, np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], float).reshape(-1, 4), labels


@given(case=annotated_maps())
def test_brute_force_and_flips(case):
    maps, boxes, labels = case
    hits = point_hits(maps, [boxes], [labels])
    for c in (0, 1):
        mine = [b for b, label in zip(boxes, labels, strict=True) if label == c]
        x, y = np.argwhere(maps[0, c].numpy() == maps[0, c].numpy().max())[0]
        inside = [b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in mine]
        np.testing.assert_equal(hits[0, c], float(any(inside)) if mine else np.nan)
    # Pixel x lies at 15 - x after a flip, so the inclusive rule flips with boxes about 15, not about 16.
    flipped = boxes.copy()
    flipped[:, [0, 2]] = 15 - boxes[:, [2, 0]]
    np.testing.assert_array_equal(point_hits(maps.flip(2), [flipped], [labels]), hits)
    transposed = boxes[:, [1, 0, 3, 2]]
    np.testing.assert_array_equal(point_hits(maps.transpose(2, 3), [transposed], [labels]), hits)
    np.testing.assert_array_equal(point_hits(maps * 3 - 7, [boxes], [labels]), hits)


def test_masks_give_the_hit_rate_of_chexlocalize():
    g = golden.load("metrics_chexlocalize")
    masks = np.unpackbits(g["gt"], axis=-1)[..., : int(g["width"])]
    saliency = torch.from_numpy(g["saliency"])
    heatmaps = torch.nn.functional.interpolate(saliency, size=masks.shape[2:], mode="bilinear", align_corners=False)
    hits = chexlocalize_hits(picture_to_tensor(heatmaps), picture_to_tensor(masks))
    np.testing.assert_array_equal(hits, g["hit"])
    np.testing.assert_allclose(hit_rates(hits).per_class, g["hit_rate"], atol=1e-12)


# (row, column) pictures. Of three tied pixels the mask has one; "first" is what CheXlocalize's evaluation gives for
# them (numpy.unravel_index(numpy.argmax(map), map.shape), then the mask there), "share" PYLON's of 2020.
STRADDLING = {
    "first outside, by row": ([(1, 2), (2, 1), (3, 0)], [(2, 1)], 0, 1 / 3),
    "first inside, by row": ([(1, 2), (2, 1), (3, 0)], [(1, 2)], 1, 1 / 3),
    "first inside, by column": ([(1, 2), (2, 1), (3, 0)], [(3, 0)], 0, 1 / 3),
    "all inside": ([(1, 2), (2, 1)], [(1, 2), (2, 1)], 1, 1),
    "none inside": ([(1, 2), (2, 1)], [(0, 0)], 0, 0),
    "no tie": ([(3, 0)], [(3, 0)], 1, 1),
}


@pytest.mark.parametrize("case", STRADDLING)
def test_ties_that_straddle_the_edge_of_a_mask(case):
    tied, drawn, first, share = STRADDLING[case]
    saliency, mask = np.full((5, 4), 0.25), np.zeros((5, 4), dtype=np.uint8)
    for pixel in tied:
        saliency[pixel] = 0.75
    for pixel in drawn:
        mask[pixel] = 1
    assert mask[np.unravel_index(np.argmax(saliency), saliency.shape)] == first
    maps, masks = picture_to_tensor(saliency)[None, None], [[picture_to_tensor(mask)]]
    assert chexlocalize_hits(maps, masks).item() == first
    assert point_hits_in_masks(maps, masks).item() == pytest.approx(share)


def test_hit_rate_skips_the_unannotated():
    maps = torch.zeros(1, 3, 3, 3)
    hits = chexlocalize_hits(maps, [[None, np.zeros((3, 3)), np.ones((3, 3))]])
    np.testing.assert_array_equal(hits, [[np.nan, np.nan, 1]])
    with pytest.raises(ValueError, match="same shape"):
        chexlocalize_hits(maps, [[np.ones((2, 3))] * 3])


def test_masks_share_ties_and_skip_the_unannotated():
    maps = torch.zeros(1, 4, 3, 3)
    maps[0, 0, 0, 0] = maps[0, 0, 2, 2] = 1
    corner = np.zeros((3, 3))
    corner[0, 0] = 255
    hits = point_hits_in_masks(maps, [[corner, None, np.zeros((3, 3)), np.ones((3, 3))]])
    np.testing.assert_array_equal(hits, [[0.5, np.nan, np.nan, 1]])
    with pytest.raises(ValueError, match="same shape"):
        point_hits_in_masks(maps, [[np.ones((2, 3))] * 4])


def test_hit_rates_with_weights_are_those_of_repeated_images():
    rng = np.random.default_rng(0)
    hits = rng.choice([0, 1, np.nan], (20, 3))
    weights = rng.integers(0, 3, (7, 20))
    rates = hit_rates(hits, weights)
    for r, w in enumerate(weights):
        repeated = hit_rates(np.repeat(hits, w, axis=0))
        np.testing.assert_allclose(rates.per_class[r], repeated.per_class, atol=1e-12)
        assert rates.micro[r] == pytest.approx(repeated.micro) and rates.macro[r] == pytest.approx(repeated.macro)
    alone = hit_rates(hits)
    np.testing.assert_allclose(alone.per_class, np.nanmean(hits, axis=0))
    assert alone.micro == pytest.approx(np.nanmean(hits)) and alone.macro == pytest.approx(alone.per_class.mean())


def test_a_class_without_a_scored_image_does_not_count():
    rates = hit_rates([[1, np.nan], [0, np.nan]])
    assert np.isnan(rates.per_class[1]) and rates.macro == rates.micro == 0.5
    assert np.isnan(hit_rates([[np.nan]]).macro) and np.isnan(hit_rates([[np.nan]]).micro)
