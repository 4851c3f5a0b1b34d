"""The report of a detector: each figure against the metric it is made of, and patients resampled together."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cxr_common.detection.report import detection_report
from cxr_common.metrics import (
    AREAS,
    FROC_RATES,
    IOU_LEVELS,
    auroc,
    average_precisions,
    bootstrap_ci,
    box_image_scores,
    coco_hits,
    froc_sensitivity,
    lesion_fractions,
    lesion_hits,
    per_class,
)
from tests.cxr_common.metrics.boxes import random_case

LABELS = ["Nodule", "Mass", "Effusion", "Never"]


@pytest.fixture(scope="module")
def made():
    case = random_case(7, n_images=24)
    image_labels = np.random.default_rng(0).choice([0, 1, -1, np.nan], (24, 4))
    patients = [str(n // 2) for n in range(24)]
    options = {"n_resamples": 50, "seed": 3}
    return case, image_labels, patients, options, detection_report(*case, LABELS, patients, image_labels, **options)


def value(interval):
    return np.nan if interval["value"] is None else interval["value"]


def mean_of_defined(values):
    defined = values[np.isfinite(values)]
    return defined.sum() / len(defined) if len(defined) else np.nan


def test_values_are_those_of_the_metrics(made):
    case, image_labels, _, _, report = made
    assert (report["n_images"], report["n_annotated"]) == (24, sum(b is not None for b in case[1]))
    assert sum(report["n_boxes"].values()) == sum(len(b) for b in case[1] if b is not None)
    assert set(report["average_precision"]) == set(AREAS)
    for name, area in AREAS.items():
        ap = average_precisions(coco_hits(*case, num_classes=4, area=area))
        found = report["average_precision"][name]
        assert value(found["AP"]) == pytest.approx(mean_of_defined(ap), nan_ok=True)
        for key, level in (("AP40", 0.4), ("AP50", 0.5), ("AP75", 0.75)):
            row = ap[IOU_LEVELS.index(level)]
            assert value(found[key]) == pytest.approx(mean_of_defined(row), nan_ok=True)
            assert value(found["per_class"]["Mass"][key]) == pytest.approx(row[1], nan_ok=True)
        assert value(found["per_class"]["Nodule"]["AP"]) == pytest.approx(ap[:, 0].mean(), nan_ok=True)
        assert found["per_class"]["Never"]["AP"]["value"] is None
    for rule in ("iou", "centre"):
        hits = lesion_hits(*case, rule=rule)
        values = [v["value"] for v in report["froc"][rule]["pooled"].values()]
        assert list(report["froc"][rule]["pooled"]) == ["0.125", "0.25", "0.5", "1", "2", "4", "8", "mean"]
        expected = froc_sensitivity(hits)
        np.testing.assert_allclose(values, [*expected, expected.mean()])
        one = froc_sensitivity(hits.of_class(2), FROC_RATES)
        assert value(report["froc"][rule]["per_class"]["Effusion"]["1"]) == pytest.approx(one[3], nan_ok=True)
        fractions = report["localization_fractions"][rule]["pooled"]
        assert (fractions["LLF"]["value"], fractions["NLF"]["value"]) == pytest.approx(
            tuple(float(f) for f in lesion_fractions(hits, 0.5))
        )
    assert report["froc"]["iou"]["pooled"] != report["froc"]["centre"]["pooled"]
    scores = per_class(auroc, box_image_scores(case[0], 4), image_labels)
    assert value(report["image_auroc"]["macro"]) == pytest.approx(np.nanmean(scores), nan_ok=True)
    assert value(report["image_auroc"]["per_class"]["Mass"]) == pytest.approx(scores[1], nan_ok=True)


def test_intervals_are_over_patients(made):
    case, _, patients, options, report = made
    known = [n for n, b in enumerate(case[1]) if b is not None]
    groups = [patients[n] for n in known]
    hits = coco_hits(*([part[n] for n in known] for part in case), num_classes=4)
    expected = bootstrap_ci(lambda w: np.nanmean(average_precisions(hits, w)[:, 0], axis=-1), groups, **options)
    found = report["average_precision"]["all"]["AP40"]
    assert found["n_patients"] == len(set(groups)) and found["n_images"] == len(known)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
    assert found["low"] < found["value"] < found["high"]


def test_it_is_plain_json(made):
    text = json.dumps(made[-1], allow_nan=False)
    assert json.loads(text)["image_auroc"]["macro"] == made[-1]["image_auroc"]["macro"]


def test_no_image_with_boxes_annotated(made):
    case, image_labels, patients, options, _ = made
    report = detection_report(case[0], [None] * 24, [None] * 24, LABELS, patients, image_labels, **options)
    assert report["n_annotated"] == 0 and "froc" not in report and report["image_auroc"]["macro"]["value"] > 0
