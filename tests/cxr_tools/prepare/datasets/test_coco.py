"""COCO json in; what `export` wrote comes back as it was."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.masks import read_mask
from cxr_tools.prepare.__main__ import main

COCO = {
    "images": [{"id": 7, "file_name": "a.png", "width": 8, "height": 6}, {"id": 9, "file_name": "b.png"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 2], "segmentation": [[1, 2, 3, 2, 3, 3, 1, 3]]},
        {"id": 2, "image_id": 7, "category_id": 5, "bbox": [0, 0, 2, 2], "iscrowd": 1},
    ],
    "categories": [{"id": 3, "name": "Nodule"}, {"id": 5, "name": "Mass"}],
}


@pytest.fixture
def write(table, picture):
    for name in "ab":
        picture(f"{name}.png")
    return lambda data: table("instances.json", json.dumps(data))


def test_boxes_polygons_and_sections(prepare, write, tmp_path):
    write(COCO)
    data, _, _ = prepare("coco", "--annotations", "training=instances.json", "--fractions", "0,0")
    one, none = data["training"]
    assert data["labels"] == ["Nodule", "Mass"] and one["label"] == [1, 0] and none["boxes"] == []
    assert one["boxes"] == [[1, 2, 4, 4]] and one["box_labels"] == [0]
    assert read_mask(tmp_path / "root" / one["mask"]["Nodule"])[1:4, 2:4].all()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (
            {"annotations": [{"image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]}]},
            "annotations[0] 'image_id': 8 is no",
        ),
        (
            {"annotations": [{"image_id": 7, "category_id": 4, "bbox": [0, 0, 1, 1]}]},
            "4 is an unknown label; categories",
        ),
        (
            {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 1]}]},
            "annotations[0] 'bbox': is [0, 0, 1], n",
        ),
        (
            {"annotations": [{"image_id": 7, "category_id": 3, "bbox": [0, 0, 99, 1]}]},
            "images[0] 'file_name': box [0, 0, ",
        ),
        ({"annotations": [{"image_id": 7, "category_id": 3}]}, "instances.json annotations[0]: has no 'bbox'"),
        ({"images": 3}, "instances.json: has no list 'images'"),
    ],
)
def test_bad_files(prepare, write, change, error):
    write({**COCO, **change})
    assert error in prepare("coco", "--annotations", "instances.json")[2]


def test_a_datalist_goes_out_and_comes_back(prepare, write, tmp_path, capsys):
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[1:3, 2:7] = 255
    root = write(COCO).parent
    Image.fromarray(mask).save(root / "mask.png")
    item = {"image": "a.png", "patient": "p", "view": "PA", "label": [1, None, -1], "boxes": [[1, 2, 3.5, 4]]}
    item |= {"box_labels": [2], "mask": {"Mass": "mask.png"}, "mask_origin": "expert"}
    data = {"labels": ["Mass", "Edema", "Nodule"], "training": [], "validation": [item], "testing": []}
    (root / "datalist.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["export", str(root / "datalist.json"), "--format", "coco", "--output", str(tmp_path / "coco")]) == 0
    found, _, _ = prepare("coco", "--annotations", f"validation={tmp_path / 'coco' / 'validation.json'}")
    [again] = found["validation"]
    path = again.pop("mask")["Mass"]
    assert again == {k: v for k, v in item.items() if k != "mask"}
    assert np.array_equal(read_mask(root / path), mask.T > 0)
