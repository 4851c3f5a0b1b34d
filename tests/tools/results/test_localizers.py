from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from cxr_common.evaluation import NetworkMaps
from cxr_common.evaluation.scored import Scored
from cxr_common.labels import LABELS
from tools.results.localization import opacity_test
from tools.results.localizers import BY_CLASS, box_test

C = len(LABELS)
OPACITY, NODULE = LABELS.index("Opacity"), LABELS.index("Nodule")


def make(hit_rate: float, skill: float, seed: int, n: int = 60) -> NetworkMaps:
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
    return NetworkMaps(
        labels=list(LABELS),
        items=items,
        sizes=np.tile([32, 32], (n, 1)),
        input_size=(32, 32),
        logits=logits,
        maps=maps,
        label=label,
    )


@pytest.fixture(scope="module")
def report():
    made = {"good": [make(0.95, 1.0, 1), make(0.8, 1.0, 2)], "plain": [make(0.2, 1.0, 3)]}
    methods = {n: {s: Scored.of(one).without("Opacity") for s, one in enumerate(seeds)} for n, seeds in made.items()}
    return box_test("phantoms", methods, "plain").record()


def test_points_are_given_by_average_class_and_seed(report):
    micro = report.figures["point"]["micro"]
    assert micro.difference["good"]["low"] > 0 and micro.fewer_misses["good"]["value"] > 0.5
    assert np.mean(micro.by_seed["good"]) == pytest.approx(micro.methods["good"]["value"])
    assert report.figures["point"]["Nodule"].by_seed == micro.by_seed  # no other boxes
    assert report.figures["auroc"]["macro"].difference.keys() == {"good"} == micro.difference.keys()
    assert report.figures["auroc"]["Nodule"].difference == {}


def test_overlap_is_given_class_by_class(report):
    table = report.figures[BY_CLASS]
    assert table["Nodule"].methods["good"]["value"] is not None
    assert table["Mass"].methods["good"]["value"] is None  # no box of it


def test_the_skipped_class_is_scored_nowhere(report):
    assert report.counts["Opacity"] == 0
    assert report.counts["Nodule"] == 30
    chance = report.figures["point"]["micro"].methods["random pixel"]
    assert chance["value"] == pytest.approx(25 / 1024)  # 4 x 4 pixels, borders inclusive


def test_opacity_is_scored_on_the_subset_only():
    predictions = make(0.5, 3.0, 4)
    items = [
        {**item, "patient_number": 2000, "view": "PA" if n < 20 else "AP"} for n, item in enumerate(predictions.items)
    ]
    keep = np.arange(60) < 20
    spoiled = np.where(keep[:, None], predictions.logits, 99).astype(np.float32)
    methods = {
        name: {0: Scored.of(dataclasses.replace(predictions, items=items, logits=logits))}
        for name, logits in (("a", spoiled), ("b", predictions.logits))
    }
    found = opacity_test(methods, "b").record()
    assert found.counts["PA"] == [10, 10] and found.counts["all"] == [30, 30]
    assert found.figures["auroc"]["PA"].difference["a"]["value"] == 0
    assert found.figures["auroc"]["all"].difference["a"]["value"] < 0
    assert found.figures["auroc"]["PA"].methods["a"]["n_images"] == 20
