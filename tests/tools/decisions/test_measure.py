"""Decisions beside labels: what counts, and what a run on real images writes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from tools.decisions.measure import figures, gather_images, label_table, read_decisions

C = len(LABELS)


def finding(name, decision, probability):
    return {"label": name, "decision": decision, "probability": probability}


def test_decisions_come_in_the_order_of_images_and_labels(tmp_path):
    images = [
        {"path": f"{image}.png", "findings": [finding(name, (k + n) % 2 == 0, k / 10) for k, name in named]}
        for n, (image, named) in enumerate({"b": [*enumerate(LABELS)][::-1], "a": [*enumerate(LABELS)]}.items())
    ]
    (tmp_path / "findings.json").write_text(json.dumps({"images": images}), encoding="utf-8")
    items = [{"image": f"/x/{name}.png"} for name in "ab"]
    decided, probability = read_decisions(tmp_path / "findings.json", items)
    assert decided[0].tolist() == [k % 2 == 1 for k in range(C)] and decided[1].tolist() == [
        k % 2 == 0 for k in range(C)
    ]
    assert probability[0] == pytest.approx(np.arange(C) / 10)
    with pytest.raises(InputError, match="1 images have no findings, c.png first"):
        read_decisions(tmp_path / "findings.json", [*items, {"image": "c.png"}])


def test_unknown_labels_are_not_counted_and_normal_images_have_none_of_the_findings():
    label = label_table(
        [
            {"label": [1, None] + [0] * (C - 2)},
            {"label": [0, 1] + [0] * (C - 2)},
            {"label": [0] * C},
            {"label": [0] * C},
        ]
    )
    decided = np.zeros((4, C), bool)
    decided[0, :2] = decided[2, 3] = decided[2, 4] = True
    found = figures(decided, decided + np.arange(4)[:, None] / 10, label, list("aabc"))
    assert found["sensitivity"][LABELS[0]]["value"] == 1 and found["sensitivity"][LABELS[1]]["value"] == 0
    assert found["specificity"][LABELS[1]]["value"] == 1  # the image of which nobody says would make it 2 / 3
    assert found["specificity"][LABELS[3]]["value"] == 3 / 4
    assert found["sensitivity"]["macro"]["value"] == 0.5  # of the two classes that images have
    assert found["shown"]["value"] == 1 and found["none shown"]["value"] == 0.5
    assert found["auroc"][LABELS[0]]["value"] == 1 and found["shown"]["n_patients"] == 3


def test_images_are_linked_once(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    for _ in range(2):
        folder = gather_images([{"image": str(tmp_path / "a.png")}], tmp_path / "links")
    assert [path.name for path in folder.iterdir()] == ["a.png"] and (folder / "a.png").read_bytes() == b"x"
