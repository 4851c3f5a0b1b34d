"""COCO average precision against pycocotools, a plain re-implementation, MONAI, and repeated images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from monai.apps.detection.metrics.coco import COCOMetric
from monai.apps.detection.metrics.matching import matching_batch

from cxr_common.boxes import pairwise_iou
from cxr_common.metrics import AREAS, IOU_LEVELS, Detections, average_precisions, coco_hits, maximal_recalls
from tests import golden
from tests.cxr_common.metrics.boxes import random_case, repeat, split_rows


def test_parity_with_pycocotools():
    g = golden.load("metrics_coco")
    case = split_rows(g["gt"], g["det"], 30)
    hits = coco_hits(*case, num_classes=3)
    np.testing.assert_array_equal(IOU_LEVELS, g["iou_thresholds"])
    ap = average_precisions(hits)
    np.testing.assert_allclose(ap, g["ap_per_iou_class"], atol=1e-12)
    np.testing.assert_allclose(ap.mean(), g["ap_mean"], atol=1e-12)
    np.testing.assert_allclose(maximal_recalls(hits), g["recall_per_iou_class"], atol=1e-12)
    for k in (1, 10, 100):
        recall = maximal_recalls(coco_hits(*case, num_classes=3, max_detections=k)).mean()
        assert recall == pytest.approx(float(g[f"ar{k}"]), abs=1e-12)
    weighed = COCOMetric(list("abc"), iou_list=(0.4,), iou_range=(0.4, 0.75, 0.05), max_detection=(100,))
    monai, _ = weighed(
        matching_batch(
            pairwise_iou,
            weighed.get_iou_thresholds(),
            *([np.asarray(d[k]) for d in case[0]] for k in (0, 2, 1)),
            case[1],
            [np.asarray(c) for c in case[2]],
        )
    )
    assert monai["mAP_IoU_0.40_0.75_0.05_MaxDet_100"] == pytest.approx(ap.mean(), abs=1e-6)


def test_object_sizes_ties_and_classes_without_truth_or_detection():
    """tests/data/coco_sizes.npz: pycocotools 2.0.11 on random boxes; class 3 is never detected, class 4 never true."""
    with np.load(Path(__file__).parents[2] / "data" / "coco_sizes.npz") as file:
        g = dict(file)
    case = split_rows(g["gt"], g["det"], 16)
    assert len(np.unique(g["det"][:, 6])) < len(g["det"])  # there are ties
    for a, (name, area) in enumerate(AREAS.items()):
        hits = coco_hits(*case, num_classes=5, levels=g["levels"], area=area)
        np.testing.assert_allclose(average_precisions(hits), g["ap"][:, :, a], atol=1e-12, err_msg=name)
        np.testing.assert_allclose(maximal_recalls(hits), g["recall"][:, :, a], atol=1e-12, err_msg=name)
        assert np.nanmean(average_precisions(hits)) == pytest.approx(g["ap_mean"][a], abs=1e-12)
    for k in (1, 3):
        hits = coco_hits(*case, num_classes=5, levels=g["levels"], max_detections=k)
        np.testing.assert_allclose(maximal_recalls(hits), g[f"recall_{k}"], atol=1e-12)


def plain_ap(case, c, level):
    """Interpolated precision by the definition: at each recall level the best precision at that recall or above."""
    ranked, total = [], 0
    for n, (found, boxes, names) in enumerate(zip(*case)):
        if boxes is None:
            continue
        truth = [b for b, name in zip(boxes, names) if name == c]
        total, free = total + len(truth), list(range(len(truth)))
        own = sorted((k for k in range(len(found.scores)) if found.labels[k] == c), key=lambda k: -found.scores[k])
        for k in own:
            overlaps = {i: pairwise_iou(found.boxes[[k]], truth[i][None])[0, 0] for i in free}
            best = max(overlaps, key=overlaps.get) if overlaps else None
            hit = best is not None and overlaps[best] >= level
            if hit:
                free.remove(best)
            ranked.append((-found.scores[k], n, hit))
    ranked.sort(key=lambda row: row[:1])
    points, true = [], 0
    for rank, (_, _, hit) in enumerate(ranked, 1):
        true += hit
        points.append((true / total if total else 0, true / rank))
    if not total:
        return np.nan
    return np.mean([max((p for r, p in points if r >= level), default=0) for level in np.linspace(0, 1, 101)])


@pytest.mark.parametrize(("seed", "ties"), [(0, None), (1, None), (2, 6), (3, 6)])
def test_equals_the_definition(seed, ties):
    case = random_case(seed, levels=ties)
    ap = average_precisions(coco_hits(*case, num_classes=4, levels=(0.4, 0.6)))
    expected = [[plain_ap(case, c, level) for c in range(4)] for level in (0.4, 0.6)]
    np.testing.assert_allclose(ap, expected, atol=1e-12)
    assert np.isnan(ap[:, 3]).all() and np.nanmax(ap) > 0.3


@pytest.mark.parametrize("ties", [None, 16])
def test_weights_are_repeated_images(ties):
    case = random_case(4, n_images=15, levels=ties, within=False)
    counts = np.random.default_rng(0).integers(0, 3, (6, 15))
    hits = coco_hits(*case, num_classes=3, levels=(0.4, 0.5))
    ap, recall = average_precisions(hits, counts), maximal_recalls(hits, counts)
    assert ap.shape == (6, 2, 3)
    for row, a, r in zip(counts, ap, recall):
        again = coco_hits(*repeat(case, row), num_classes=3, levels=(0.4, 0.5))
        np.testing.assert_allclose(a, average_precisions(again), atol=1e-12)
        np.testing.assert_allclose(r, maximal_recalls(again), atol=1e-12)
    np.testing.assert_allclose(average_precisions(hits, counts.reshape(2, 3, 15)), ap.reshape(2, 3, 2, 3))


def test_what_is_not_annotated_is_left_out_and_empty_is_not():
    detected, boxes, labels = random_case(5, unannotated=0)
    boxes[0], labels[0] = [], []
    known = average_precisions(coco_hits(detected[1:], boxes[1:], labels[1:], 3))
    empty = average_precisions(coco_hits(detected, boxes, labels, 3))
    assert (empty <= known + 1e-12).all() and (empty < known).any()
    boxes[0], labels[0] = None, None
    np.testing.assert_allclose(average_precisions(coco_hits(detected, boxes, labels, 3)), known)


def test_nothing_at_all():
    ap = average_precisions(coco_hits([], [], [], 2), np.ones((3, 0)))
    assert ap.shape == (3, 8, 2) and np.isnan(ap).all()


@pytest.mark.parametrize(("found", "reached"), [(9, 91), (7, 70)])
def test_recall_is_compared_in_double_precision(found, reached):
    """As in pycocotools. In float32 (MONAI's COCOMetric) nine of ten miss 0.9; level 70 is a hair above 7 / 10."""
    boxes = np.array([[20.0 * i, 0, 20 * i + 10, 10] for i in range(10)])
    detections = Detections(boxes[:found], np.linspace(0.9, 0.3, found), np.zeros(found, int))
    ap = average_precisions(coco_hits([detections], [boxes], [[0] * 10], 1, levels=(0.5,)))
    assert ap.item() == pytest.approx(reached / 101)


@pytest.mark.parametrize("change", [{"scores": [0.5]}, {"labels": [0, 1, 2]}, {"scores": [np.nan, 1.0]}])
def test_incomplete_detections_are_refused(change):
    detections = Detections(np.ones((2, 4)), [0.1, 0.2], [0, 0])
    with pytest.raises(ValueError, match="every detection needs"):
        coco_hits([detections._replace(**change)], [[]], [[]], 1)
    with pytest.raises(ValueError, match="1 boxes and 2 box labels"):
        coco_hits([detections], [[[0, 0, 1, 1]]], [[0, 0]], 1)
