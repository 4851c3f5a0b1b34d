from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cxr_common.evaluation import NetworkMaps, evaluation_report, point_hit_table


@pytest.fixture
def predictions():
    """Forty images of twenty patients; class 0's peak is at (x 5, y 2) of an 8 x 8 map, class 1 has no box."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, (40, 2)).astype(np.float32)
    logits = (label + rng.normal(0, 1, label.shape)).astype(np.float32)
    maps = np.full((40, 2, 8, 8), -4, dtype=np.float16)
    maps[:, 0, 5, 2] = 4
    items = []
    for i in range(40):
        # The peak is at 5.5 / 8 of the width, 2.5 / 8 of the height; half of the boxes hold it.
        box = [120, 20, 160, 40] if i % 2 else [0, 60, 40, 80]
        known = label[i, 0] == 1
        boxes = {"boxes": [box] if known else [], "box_labels": [0] if known else []}
        items.append({"image": str(i), "patient": str(i // 2), **boxes})
    return NetworkMaps(
        labels=["a", "b"],
        items=items,
        sizes=np.tile([200, 80], (40, 1)),
        input_size=(32, 32),
        logits=logits,
        maps=maps,
        label=label,
    )


def test_point_hits_by_hand(predictions):
    hits = point_hit_table(predictions)
    assert np.isnan(hits[:, 1]).all()
    for i in range(40):
        if predictions.label[i, 0] == 1:
            assert hits[i, 0] == i % 2
        else:
            assert np.isnan(hits[i, 0])


def test_report_is_json_with_intervals_round_the_right_values(predictions):
    report = evaluation_report(predictions, n_resamples=200)
    json.dumps(report, allow_nan=False)
    assert (report["n_images"], report["n_patients"]) == (40, 20)
    macro = report["image_labels"]["auroc"]["macro"]
    expected = np.mean([roc_auc_score(predictions.label[:, c], predictions.logits[:, c]) for c in (0, 1)])
    assert macro["value"] == pytest.approx(expected)
    assert macro["low"] < macro["value"] < macro["high"]
    point = report["localization"]["point"]
    assert point["per_class"]["b"]["value"] is None
    assert point["pairs"] == {"a": int((predictions.label[:, 0] == 1).sum()), "b": 0}
    # A box of 40 x 20 original pixels covers a tenth of the picture.
    assert report["localization"]["point of a random pixel"]["micro"]["value"] == pytest.approx(0.1, abs=0.06)


def test_without_boxes_there_is_no_localization(predictions):
    for item in predictions.items:
        del item["boxes"]
    assert evaluation_report(predictions, n_resamples=50)["localization"] == {}
