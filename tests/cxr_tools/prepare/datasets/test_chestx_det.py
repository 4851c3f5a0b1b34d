"""ChestX-Det in its own layout, small; and the genuine files."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cxr_common.data.masks import read_mask
from cxr_tools.prepare.datasets import chestx_det
from tests.golden import SHARED, needs_radiographs

SQUARE = [[1, 1], [3, 1], [3, 3], [1, 3]]
TRAIN = [
    {"file_name": "1.png", "syms": ["Mass", "Mass"], "boxes": [[1, 1, 3, 3], [5, 0, 7, 2]], "polygons": [SQUARE] * 2},
    {"file_name": "2.png", "syms": [], "boxes": [], "polygons": []},
]


@pytest.fixture
def write(table, picture):
    for name in ("1", "2"):
        picture(f"train_data/train/{name}.png")
    return lambda entries: table("ChestX_Det_train.json", json.dumps(entries))


def test_boxes_masks_and_images_without_findings(prepare, write, tmp_path):
    write(TRAIN)
    data, printed, _ = prepare("chestx_det", "--fractions", "0,0")
    one, none = data["training"]
    assert one["image"] == "train_data/train/1.png" and one["boxes"] == [[1, 1, 3, 3], [5, 0, 7, 2]]
    mask = read_mask(tmp_path / "root" / one["mask"]["Mass"])
    assert mask.shape == (8, 6) and np.array_equal(np.argwhere(mask).min(0), [1, 1]) and mask.sum() == 9
    assert set(none["mask"].values()) == {None} and set(none["label"]) == {0} and none["boxes"] == []
    assert one["mask"]["Nodule"] is None and "no ChestX_Det_test.json" in printed


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"syms": ["Mass", "Blob"]}, "ChestX_Det_train.json [0] 'syms': 'Blob' is an unknown label; classes are"),
        ({"boxes": [[1, 1, 3, 3]]}, "ChestX_Det_train.json [0]: has not as many boxes and polygons as findings"),
        ({"boxes": [[1, 1, 3, 3], [1, 2, 3]]}, "[0] 'boxes': [1.0, 2.0, 3.0] is not a box of four numbers"),
        ({"boxes": [[1, 1, 3, 3], [3, 1, 1, 3]]}, "[0] 'boxes': makes an empty box"),
        ({"polygons": [SQUARE, [1, 2]]}, "[0] 'polygons': holds no list of points"),
    ],
)
def test_bad_entries(prepare, write, change, error):
    write([{**TRAIN[0], **change}])
    assert error in prepare("chestx_det")[2]


@needs_radiographs
def test_the_genuine_files(prepare):
    options = ("--no-check-files", "--limit", "40", "--fractions", "0,0")
    data, _, _ = prepare("chestx_det", *options, root=SHARED / "cxr/annotations/chestx_det")
    assert len(data["training"]) == 40
    for item in data["training"]:
        drawn = {data["labels"][i] for i in item["box_labels"]}
        assert drawn == {name for name, path in item["mask"].items() if path}
    counts = [
        len(chestx_det._entries(SHARED / f"cxr/annotations/chestx_det/ChestX_Det_{s}.json")) for s in ("train", "test")
    ]
    assert counts == [3025, 553]
