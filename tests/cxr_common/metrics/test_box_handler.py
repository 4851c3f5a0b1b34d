"""The handler's average precision is that of the pure functions, over the annotated images and classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ignite.engine import Engine

from cxr_common.metrics import BoxPrecision, average_precisions, coco_hits
from cxr_common.metrics.classification import macro_average
from tests.cxr_common.metrics.boxes import random_case

LABELS = ["a", "b", "c"]


def rows(parts, width, count=40):
    out = torch.zeros(count, width)
    out[:, -1] = -1
    if parts[0] is not None and len(parts[0]):
        values = np.column_stack([np.asarray(part, float) for part in parts])
        out[: len(values)] = torch.from_numpy(values)
    return out


def run(detected, boxes, names, known, size=5, **options):
    n = len(detected)
    found = torch.stack([rows((d.boxes, d.scores, d.labels), 6) for d in detected])
    true = torch.stack([rows((b, c), 5) for b, c in zip(boxes, names, strict=True)])

    def step(engine, index):
        engine.state.batch = {"boxes": true[index], "box_known": known[index]}
        return {"pred": {"detections": found[index]}}

    engine = Engine(step)
    BoxPrecision(LABELS, **options).attach(engine, "ap")
    parts = [list(range(start, min(start + size, n))) for start in range(0, n, size)]
    return engine.run(parts).metrics


@pytest.mark.parametrize("levels", [(0.4,), (0.4, 0.75)])
def test_it_is_coco_over_annotated_images(levels):
    detected, boxes, names = random_case(3)
    known = torch.tensor([[float(b is not None)] * 3 for b in boxes])
    assert (known == 0).any()
    found = run(detected, boxes, names, known, levels=levels)
    expected = average_precisions(coco_hits(detected, boxes, names, 3, levels)).mean(0)
    assert found["ap"] == pytest.approx(macro_average(expected), abs=1e-6)
    assert [found[f"ap_{name}"] for name in LABELS] == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_class_that_is_not_annotated_in_an_image_counts_nothing_there():
    detected, boxes, names = random_case(4, unannotated=0)
    known = torch.ones(len(boxes), 3)
    known[:6, 0] = 0
    found = run(detected, boxes, names, known)
    part = tuple(list(x)[6:] for x in (detected, boxes, names))
    expected = average_precisions(coco_hits(*part, 3, (0.4,)))[0, 0]
    assert found["ap_a"] == pytest.approx(expected, abs=1e-6)


def test_nothing_annotated_is_not_a_number():
    detected, boxes, names = random_case(5)
    found = run(detected, [None] * len(boxes), [None] * len(boxes), torch.zeros(len(boxes), 3))
    assert math.isnan(found["ap"])
