from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from scipy.special import expit, logit

from cxr_common.data.masks import resize_mask
from cxr_common.evaluation import NetworkMaps, counts_at_thresholds, evaluation_report, mask_tables, segmentation_report
from cxr_common.findings import Thresholds
from cxr_common.metrics import dataset_iou, image_dice, image_iou

LABELS = ["a", "b"]
SIZE = (48, 24)  # columns, rows of the originals; the network's input is 16 x 16
THRESHOLDS = Thresholds(tuple(LABELS), {"a": 0.4, "b": 0.4}, {"a": 0.4, "b": 0.4}, "absolute")


@pytest.fixture
def predictions(tmp_path):
    """Six images of three patients; class a is annotated in five, class b in two and empty in one of them."""
    rng = np.random.default_rng(0)
    probability = rng.uniform(0.01, 0.3, (6, 2, 16, 16))
    items = []
    for i in range(6):
        known = {}
        if i < 5:
            mask = np.zeros(SIZE, bool)
            mask[6 * i : 6 * i + 18, 3:12] = True
            Image.fromarray(mask.T).save(tmp_path / f"{i}.png")
            known["a"] = str(tmp_path / f"{i}.png")
            probability[i, 0, 2 * i : 2 * i + 6, 2:10] = 0.7
        if i in (0, 1):
            known["b"] = known["a"] if i else None
        items.append({"image": str(i), "patient": str(i // 2), "mask": known})
    probability[1, 1, 0:4] = 0.6
    maps = logit(probability).astype(np.float16)
    logits = maps.max((2, 3)).astype(np.float32)
    label = np.full((6, 2), np.nan, dtype=np.float32)
    return NetworkMaps(
        labels=LABELS,
        items=items,
        sizes=np.tile(SIZE, (6, 1)),
        input_size=(16, 16),
        logits=logits,
        maps=maps,
        label=label,
    )


def true_mask(predictions, n, c):
    path = predictions.items[n]["mask"].get(LABELS[c], "unknown")
    if path == "unknown":
        return None
    return np.zeros(SIZE, bool) if path is None else np.asarray(Image.open(path)).T.astype(bool)


def test_network_resolution_by_brute_force(predictions):
    counts, hits = mask_tables(predictions, THRESHOLDS)["network"]
    for n, c in np.ndindex(6, 2):
        true = true_mask(predictions, n, c)
        values = counts.intersection[n, c], counts.predicted[n, c], counts.true[n, c]
        if true is None:
            assert np.isnan([*values, hits[n, c]]).all()
            continue
        # A network pixel covers 3 columns and 1.5 rows of the original.
        inside = np.kron(true, np.ones((1, 2))).reshape(16, 3, 16, 3).mean((1, 3)) > 0.5
        heat = expit(predictions.maps[n, c].astype(np.float32))
        assert values == ((inside & (heat > 0.4)).sum(), (heat > 0.4).sum(), inside.sum())
        x, y = np.argwhere(heat.max() == heat.T)[0][::-1]  # the first of the picture, row by row
        assert np.isnan(hits[n, c]) if not true.any() else hits[n, c] == inside[x, y]


def test_original_geometry_is_scored_on_the_annotators_pixels(predictions):
    counts, _ = mask_tables(predictions, THRESHOLDS)["original"]
    for n in range(5):
        assert counts.true[n, 0] == true_mask(predictions, n, 0).sum()
        # 6 x 8 network pixels are 18 x 12 of the original, but for interpolated edges.
        assert counts.predicted[n, 0] == pytest.approx(18 * 12, rel=0.25)
    assert counts.true[0, 1] == 0
    assert np.isnan(counts.true[2:, 1]).all()


def test_a_class_that_is_not_decided_has_an_empty_mask(predictions):
    strict = Thresholds(tuple(LABELS), {"a": 0.8, "b": 0.4}, {"a": 0.4, "b": 0.4}, "absolute")
    for name in ("original", "network"):
        counts, hits = mask_tables(predictions, strict)[name]
        assert (counts.predicted[:5, 0] == 0).all()
        assert counts.predicted[1, 1] > 0
        assert np.isfinite(hits[:5, 0]).all()  # where it would be does not depend on whether it is


def test_relative_thresholds_score_a_localiser(predictions):
    relative = Thresholds(tuple(LABELS), {"a": 0, "b": 0}, {"a": 0.5, "b": 0.5})
    counts, _ = mask_tables(predictions, relative)["network"]
    heat = expit(predictions.maps[0, 0].astype(np.float32))
    assert counts.predicted[0, 0] == (heat > 0.5 * heat.max()).sum()


def test_counts_at_thresholds_are_those_of_each_threshold(predictions):
    counts = counts_at_thresholds(predictions, [0.2, 0.4, 0.65])
    single, _ = mask_tables(predictions, THRESHOLDS)["network"]
    for name in ("intersection", "predicted", "true"):
        np.testing.assert_array_equal(getattr(counts, name)[1], getattr(single, name))


def test_report_is_json_round_the_right_values(predictions):
    report = evaluation_report(predictions, THRESHOLDS, n_resamples=50)
    json.dumps(report, allow_nan=False)
    tables = mask_tables(predictions, THRESHOLDS)
    for name in ("original", "network"):
        figures, counts = report["segmentation"][name], tables[name][0]
        whole = figures["iou of the data set"]
        assert whole["per_class"]["a"]["value"] == pytest.approx(dataset_iou(counts)[0])
        assert whole["macro"]["value"] == pytest.approx(dataset_iou(counts).mean())
        assert whole["pairs"] == {"a": 5, "b": 2}
        assert whole["present"] == {"a": 5, "b": 1}
        assert figures["iou of images"]["per_class"]["a"]["value"] == pytest.approx(np.nanmean(image_iou(counts)[:, 0]))
        assert figures["dice"]["per_class"]["b"]["value"] == pytest.approx(np.nanmean(image_dice(counts)[:, 1]))
        assert figures["dice where present"]["pairs"] == {"a": 5, "b": 1}
        a = figures["iou of images, true positives"]["per_class"]["a"]
        assert a["low"] <= a["value"] <= a["high"]
        assert a["n_patients"] == 3
        assert figures["hit rate"]["pairs"] == {"a": 5, "b": 1}


def test_without_masks_or_without_asking_there_is_nothing(predictions):
    assert "segmentation" not in evaluation_report(predictions, n_resamples=10)
    for item in predictions.items:
        del item["mask"]
    assert segmentation_report(predictions, THRESHOLDS) == {}


def test_half_covered_cells_decide_a_resized_mask():
    mask = np.zeros((8, 4), bool)
    mask[:3] = True
    assert resize_mask(mask, (2, 1)).tolist() == [[True], [False]]
    assert resize_mask(mask, (8, 4)) is mask
    np.testing.assert_array_equal(resize_mask(mask, (16, 8)), np.kron(mask, np.ones((2, 2))))
