"""Figures of a detector where boxes mark one finding and leave others of the image unmarked, as NIH's do."""

from __future__ import annotations

import numpy as np
import pytest

from cxr_common.detection.figures import DetectorFigures
from cxr_common.evaluation import BoxPredictions

LABELS = ["a", "b"]
BOX, FAR = [0, 0, 10, 10], [20, 20, 30, 30]


def predictions(label, boxes, rows):
    """Images of 32 x 32 with a label, (box, class) pairs and (box, score, class) triples each."""
    items = [
        {"image": str(n), "boxes": [box for box, _ in pairs], "box_labels": [c for _, c in pairs]}
        for n, pairs in enumerate(boxes)
    ]
    table = np.zeros((len(items), 4, 6))
    table[:, :, 5] = -1
    for n, found in enumerate(rows):
        for k, (box, score, c) in enumerate(found):
            table[n, k] = [*box, score, c]
    label = np.array(label, dtype=np.float32)
    sizes = np.full((len(items), 2), 32)
    return BoxPredictions(
        labels=LABELS, items=items, sizes=sizes, input_size=(32, 32), label=label, rows=table, logits=label.copy()
    )


def value(found, name, of="macro", **options):
    return float(DetectorFigures(found, **options).statistic(name, of)(np.ones((1, len(found.items))))[0])


def test_what_is_found_of_a_labelled_class_without_a_box_is_neither_hit_nor_false_positive():
    # The first image has class b too, which nobody boxed; the detector finds it first and surest.
    boxes = [[(BOX, 0)], [(BOX, 1)]]
    rows = [[(FAR, 0.9, 1), (BOX, 0.8, 0)], [(BOX, 0.7, 1)]]
    unmarked = predictions([[1, 1], [0, 1]], boxes, rows)
    absent = predictions([[1, 0], [0, 1]], boxes, rows)
    assert value(unmarked, "AP40", "b") == pytest.approx(1)
    assert value(absent, "AP40", "b") == pytest.approx(0.5)  # the same box where the label says that b is absent
    assert value(unmarked, "FROC", "0.25") == 1
    assert value(absent, "FROC", "0.25") == 0
    assert value(absent, "FROC", "0.5") == 1
    assert value(absent, "FROC", rates=(0.25, 0.5)) == pytest.approx(0.5)


def test_auroc_counts_the_boxes_of_all_classes():
    found = predictions([[1, 1], [0, 0]], [[(BOX, 0)], []], [[(FAR, 0.9, 1), (BOX, 0.8, 0)], [(FAR, 0.5, 1)]])
    assert value(found, "AUROC", "b") == 1  # the box of the unmarked class speaks for its label
    assert value(found, "AUROC") == 1
    assert value(found, "AUROC, global head", "a") == 1


def test_levels_of_overlap():
    half = [0, 0, 10, 4.5]  # an IoU of .45
    found = predictions([[1, 0]], [[(BOX, 0)]], [[(half, 0.9, 0)]])
    assert value(found, "AP40", "a") == pytest.approx(1)
    assert value(found, "AP50", "a") == 0
    assert value(found, "AP", "a") == pytest.approx(2 / 8)  # of .4, .45, ... .75


def test_a_class_can_be_left_out():
    found = predictions([[1, 1]], [[(BOX, 0), (BOX, 1)]], [[(BOX, 0.9, 0)]])
    assert value(found, "AP40") == pytest.approx(0.5)
    assert value(found, "AP40", skip="b") == pytest.approx(1)
    assert DetectorFigures(found, "b").boxes() == {"a": 1, "b": 0}
