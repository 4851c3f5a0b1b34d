from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.metrics import DiceMetric, MeanIoU

from cxr_common.axes import picture_to_tensor
from cxr_common.metrics import MaskCounts, dataset_iou, hit_rates, image_dice, image_iou, mask_counts, threshold_counts
from tests import golden


def draw_masks(seed, n=6, c=3, size=(9, 7)):
    """Masks of which some are empty, and truth of which some is not annotated."""
    rng = np.random.default_rng(seed)
    masks, truth = rng.random((2, n, c, *size)) < rng.choice([0, 0.2, 0.7], (2, n, c, 1, 1))
    return masks, [[None if rng.random() < 0.2 else m for m in row] for row in truth]


def test_published_data_set_iou_at_every_threshold():
    g = golden.load("chexseg_iou")
    counts = threshold_counts(picture_to_tensor(g["prob"]), picture_to_tensor(g["target"]), g["thresholds"])
    np.testing.assert_array_equal(counts.intersection.sum(1), g["intersection"])
    np.testing.assert_array_equal(counts.union.sum(1), g["union"])
    iou = dataset_iou(counts)
    np.testing.assert_allclose(iou, g["iou"], atol=1e-12)
    np.testing.assert_array_equal(iou.argmax(0), g["best_index"])
    assert iou.max(0).mean() == pytest.approx(float(g["mean_best_iou"]), abs=1e-12)


def test_published_image_iou():
    g = golden.load("metrics_chexlocalize")
    truth, masks = (np.unpackbits(g[k], axis=-1)[..., : int(g["width"])] for k in ("gt", "pred"))
    masks = masks.copy()
    masks[int(g["missing_pred_index"])] = 0
    counts = mask_counts(picture_to_tensor(masks), picture_to_tensor(truth))
    for name, true_positives in (("true_pos", True), ("full", False)):
        iou = image_iou(counts, true_positives)
        np.testing.assert_allclose(iou, g[f"iou_{name}"], atol=1e-12)
        np.testing.assert_allclose(hit_rates(iou).per_class, g[f"miou_{name}"], atol=1e-12)


@golden.needs_radiographs
def test_genuine_chexlocalize_masks():
    folder = golden.SHARED / "cxr" / "annotations" / "chexlocalize"
    true, found = (
        json.loads((folder / name).read_text())
        for name in ("gt_segmentations_val.json", "gradcam_segmentations_val_sample.json")
    )
    tasks = sorted(next(iter(true.values())))
    truth = [[rle_mask(true[image][task]) for task in tasks] for image in sorted(true)]
    masks = [[rle_mask(found[image][task]) for task in tasks] for image in sorted(true)]
    assert [m[0].shape for m in truth] == [(2828, 2320), (2021, 2022)]
    counts = mask_counts(masks, truth)
    full, positive = image_iou(counts), image_iou(counts, true_positives=True)
    for n, c in np.ndindex(full.shape):
        a, b = (rle_intervals(source[sorted(true)[n]][tasks[c]]) for source in (true, found))
        both = overlap_of(a, b)
        either = overlap_of(a, a) + overlap_of(b, b) - both
        np.testing.assert_allclose(full[n, c], both / either if either else np.nan)
        np.testing.assert_allclose(positive[n, c], both / either if a and b else np.nan)
    # What the annotation file says is present: three findings in one image, one in the other.
    annotated = json.loads((folder / "gt_annotations_val.json").read_text())
    present = [[task in annotated[image] for task in tasks] for image in sorted(true)]
    np.testing.assert_array_equal(counts.true > 0, present)
    assert np.sum(present) == 4


def rle_runs(segmentation):
    """Run lengths of a COCO RLE: characters of five bits each, from the fourth run on relative to the last but one."""
    runs, value, shift = [], 0, 0
    for character in segmentation["counts"]:
        bits = ord(character) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (1 << shift) if bits & 0x10 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value, shift = 0, 0
    return runs


def rle_mask(segmentation):
    """(width, height): COCO's runs go down the columns, which is how a tensor (X, Y) lies in memory."""
    height, width = segmentation["size"]
    runs = rle_runs(segmentation)
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height)


def rle_intervals(segmentation):
    """Half-open runs of flat indices inside, without making a mask."""
    ends = np.cumsum(rle_runs(segmentation)).tolist()
    return list(zip(ends[:-1:2], ends[1::2], strict=False))


def overlap_of(a, b):
    """Common length of two lists of rising intervals."""
    total = i = j = 0
    while i < len(a) and j < len(b):
        total += max(0, min(a[i][1], b[j][1]) - max(a[i][0], b[j][0]))
        i, j = (i + 1, j) if a[i][1] < b[j][1] else (i, j + 1)
    return total


@pytest.mark.parametrize("seed", range(5))
def test_monai_agrees(seed):
    masks, truth = draw_masks(seed)
    truth = np.stack(
        [
            np.stack([np.zeros(m.shape, bool) if t is None else t for t in row])
            for m, row in zip(masks[:, 0], truth, strict=True)
        ]
    )  # MONAI knows no "not annotated"
    counts = mask_counts(masks, truth)
    y_pred, y = torch.from_numpy(masks).float(), torch.from_numpy(truth).float()
    for empty in (True, False):
        dice = DiceMetric(ignore_empty=empty)(y_pred, y)
        np.testing.assert_allclose(image_dice(counts, present_only=empty), dice, atol=1e-6)
        iou = MeanIoU(ignore_empty=empty)(y_pred, y).numpy()
        mine = image_iou(counts)
        # MONAI drops images without a true mask, or gives two empty masks 1; CheXlocalize does neither.
        rule = np.where(counts.true > 0, mine, np.nan) if empty else np.where(np.isnan(mine), 1, mine)
        np.testing.assert_allclose(rule, iou, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999))
def test_brute_force(seed):
    masks, truth = draw_masks(seed)
    counts = mask_counts(masks, truth)
    iou, positive = image_iou(counts), image_iou(counts, true_positives=True)
    dice, present = image_dice(counts), image_dice(counts, present_only=True)
    for c in range(3):
        both = either = 0
        for n in range(6):
            values = (iou[n, c], positive[n, c], dice[n, c], present[n, c])
            if truth[n][c] is None:
                assert np.isnan(values).all()
                continue
            a, b = (set(map(tuple, np.argwhere(m))) for m in (masks[n, c], truth[n][c]))
            both, either = both + len(a & b), either + len(a | b)
            expected = len(a & b) / len(a | b) if a | b else np.nan
            expected_dice = 2 * len(a & b) / (len(a) + len(b)) if a or b else 1
            expected = (expected, expected if a and b else np.nan, expected_dice, expected_dice if b else np.nan)
            np.testing.assert_allclose(values, expected)
        np.testing.assert_allclose(dataset_iou(counts)[c], both / either if either else np.nan)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 9999))
def test_grid_of_thresholds_is_one_threshold_after_another(seed):
    _, truth = draw_masks(seed)
    maps = np.random.default_rng(seed).integers(0, 21, (6, 3, 9, 7)).astype(np.float32) / 20  # many ties
    grid = (0, 0.05, 0.5, 0.95, 1)
    counts = threshold_counts(maps, truth, grid)
    for t, threshold in enumerate(grid):
        single = mask_counts(maps > np.float32(threshold), truth)
        for name in ("intersection", "predicted", "true"):
            np.testing.assert_array_equal(getattr(counts, name)[t], getattr(single, name))


def test_weights_are_repeated_images():
    masks, truth = draw_masks(1)
    counts = mask_counts(masks, truth)
    weights = np.random.default_rng(0).integers(0, 3, (4, 6))
    for w, iou in zip(weights, dataset_iou(counts, weights), strict=True):
        index = np.repeat(np.arange(6), w)
        np.testing.assert_allclose(iou, dataset_iou(mask_counts(masks[index], [truth[i] for i in index])))


def test_a_pixel_at_the_threshold_is_outside_and_images_may_differ_in_size():
    maps = [np.full((1, 2, 3), 0.5, np.float32), np.full((1, 4, 4), 0.6, np.float32)]
    counts = threshold_counts(maps, [[np.ones((2, 3))], [np.ones((4, 4))]], [0.4, 0.5])
    assert counts.predicted[:, :, 0].tolist() == [[6, 16], [0, 16]]
    assert dataset_iou(counts).tolist() == [[1], [16 / 22]]


def test_nothing_annotated_is_undefined_and_nothing_there_is_a_full_dice():
    counts = mask_counts(np.zeros((2, 2, 4, 4)), [[None, np.zeros((4, 4))]] * 2)
    assert np.isnan(dataset_iou(counts)).all()
    np.testing.assert_array_equal(image_dice(counts), [[np.nan, 1]] * 2)
    assert np.isnan(image_iou(counts)).all()
    assert np.isnan(image_dice(counts, present_only=True)).all()


def test_misfitting_masks_are_refused():
    with pytest.raises(ValueError, match="same shape"):
        mask_counts(np.zeros((1, 1, 4, 4)), [[np.zeros((4, 3))]])
    with pytest.raises(ValueError, match="same shape"):
        threshold_counts(np.zeros((1, 1, 4, 4)), [[np.zeros((4, 3))]], [0.5])
    with pytest.raises(ValueError, match="rise"):
        threshold_counts(np.zeros((1, 1, 4, 4)), [[None]], [0.5, 0.4])
    with pytest.raises(ValueError):
        mask_counts(np.zeros((2, 1, 4, 4)), [[None]])


def test_one_change_is_made_to_all_three_tables():
    counts = MaskCounts(*(np.array([[value, 10.0 + value]]) for value in (1.0, 2.0, 3.0)))
    second = counts.of_classes([1])
    assert (second.intersection.item(), second.predicted.item(), second.true.item()) == (11, 12, 13)
    doubled = counts.map(lambda table: 2 * table)
    assert (doubled.true[0, 1], doubled.union[0, 0]) == (26, 2 * counts.union[0, 0])
