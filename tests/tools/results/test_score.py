from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from cxr_common.evaluation import Predictions
from cxr_common.labels import LABELS
from tools.results.claims import check_claims, verdict
from tools.results.score import BY_CLASS, compare, measure, score_methods, score_opacity

C = len(LABELS)
OPACITY, NODULE = LABELS.index("Opacity"), LABELS.index("Nodule")


def make(hit_rate: float, skill: float, seed: int, n: int = 60) -> Predictions:
    """Predictions whose nodule peaks hit at a given rate; half the images have a nodule at x 3, y 1 of an 8 x 8 map."""
    rng = np.random.default_rng(seed)
    label = np.zeros((n, C), dtype=np.float32)
    label[::2] = 1
    maps = np.full((n, C, 8, 8), -4, dtype=np.float16)
    items = []
    for i in range(n):
        x, y = (3, 1) if rng.random() < hit_rate else (6, 6)
        maps[i, :, x, y] = 4
        present = bool(label[i, NODULE])
        boxes = {"boxes": [[12, 4, 16, 8]] * 2 if present else [], "box_labels": [NODULE, OPACITY] if present else []}
        items.append({"image": str(i), "patient": str(i), **boxes})
    logits = (skill * label + rng.normal(0, 1, label.shape)).astype(np.float32)
    return Predictions(list(LABELS), items, np.tile([32, 32], (n, 1)), (32, 32), logits, maps, label)


@pytest.fixture(scope="module")
def methods():
    made = {"good": [make(0.95, 1.0, 1), make(0.8, 1.0, 2)], "plain": [make(0.2, 1.0, 3)]}
    return {name: [measure(one).without("Opacity") for one in seeds] for name, seeds in made.items()}


@pytest.fixture(scope="module")
def report(methods):
    return score_methods(methods, "plain")


def test_a_clear_difference_excludes_zero_and_equal_skill_does_not(report):
    against = report["methods"]["good"]["against"]
    assert against["point micro"]["difference"]["low"] > 0
    assert against["point micro"]["fewer_misses"]["value"] > 0.5
    assert against["auroc"]["difference"]["low"] < 0 < against["auroc"]["difference"]["high"]
    json.dumps(report, allow_nan=False)


def test_seeds_are_averaged_and_counted(report):
    assert report["methods"]["good"]["point"]["micro"]["n_seeds"] == 2
    assert "against" not in report["methods"]["plain"]
    by_seed = report["methods"]["good"]["by_seed"]["point"]
    assert np.mean(by_seed) == pytest.approx(report["methods"]["good"]["point"]["micro"]["value"])
    assert by_seed[0] != by_seed[1]
    assert report["methods"]["good"]["by_seed"]["point by class"]["Nodule"] == pytest.approx(by_seed)  # no other boxes


def test_overlap_is_given_class_by_class(report):
    table = report["methods"]["good"]["overlap_by_class"][BY_CLASS]
    assert table["Nodule"]["value"] is not None
    assert table["Mass"]["value"] is None  # no box of it


def test_claims_are_tested_on_the_seeds_both_have(methods):
    methods = {"good": dict(enumerate(methods["good"])), "plain": {1: methods["plain"][0]}}
    claims = [
        {"first": "good", "second": "plain", "figure": "point"},
        {"first": "plain", "second": "good", "figure": "point", "class": "Nodule"},
        {"first": "good", "second": "plain", "figure": "auroc", "margin": 0.5},
        {"first": "good", "second": "untrained", "figure": "point"},
    ]

    def statistics(method, claim):
        seeds = methods.get(method, {})
        return {seed: one.statistic(claim["figure"], claim.get("class")) for seed, one in seeds.items()}

    found = check_claims(claims, statistics, [*map(str, range(60))])
    assert [c["verdict"] for c in found] == ["holds", "fails", "holds", "not measured"]
    assert found[0]["difference"]["n_seeds"] == 1
    assert found[0]["difference"]["value"] == pytest.approx(-found[1]["difference"]["value"])
    second_of_both = compare(*([methods[m][1].statistic("point")] for m in ("good", "plain")), [*map(str, range(60))])
    assert found[0]["difference"]["value"] == second_of_both["difference"]["value"]


@pytest.mark.parametrize(
    ("low", "high", "margin", "expected"),
    [
        (0.1, 0.2, 0, "holds"),
        (-0.1, 0.2, 0, "undecided"),
        (-0.1, 0.2, 0.15, "holds"),
        (-0.1, 0.2, 0.05, "undecided"),
        (-0.2, -0.01, 0.05, "undecided"),
        (-0.2, -0.1, 0.05, "fails"),
        (-0.2, -0.1, 0, "fails"),
        (None, None, 0, "not measured"),
    ],
)
def test_verdicts(low, high, margin, expected):
    assert verdict({"low": low, "high": high}, margin) == expected


def test_the_skipped_class_is_scored_nowhere(report):
    assert report["pairs"]["Opacity"] == 0
    assert report["pairs"]["Nodule"] == 30
    assert report["random pixel"]["micro"]["value"] == pytest.approx(25 / 1024)  # 4 x 4 pixels, borders inclusive


def test_hits_of_a_subset_are_those_of_its_images():
    one = measure(make(0.5, 1.0, 5))
    keep = np.arange(60) % 3 == 0
    part = one.subset(keep)
    again = measure(one.predictions.subset(keep))
    np.testing.assert_array_equal(part.points, again.points)
    for name, table in again.overlaps.items():
        np.testing.assert_array_equal(part.overlaps[name], table)


def test_opacity_is_scored_on_the_subset_only():
    predictions = make(0.5, 3.0, 4)
    keep = np.arange(60) < 20
    spoiled = dataclasses.replace(
        predictions, logits=np.where(keep[:, None], predictions.logits, 99).astype(np.float32)
    )
    part = score_opacity({"a": [measure(spoiled)], "b": [measure(predictions)]}, "b", keep)
    assert (part["present"], part["absent"]) == (10, 10)
    assert part["against"]["a"]["difference"]["value"] == 0
