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
    assert data["labels"] == ["Nodule", "Mass"] and one["label"] == [1, 1] and none["boxes"] == []
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


def test_masks_of_images_with_one_stem_keep_apart(prepare, write, picture, tmp_path):
    squares = [[[1, 1, 3, 1, 3, 3]], [[4, 1, 6, 1, 6, 3]]]
    write(
        {
            "images": [{"id": n, "file_name": name} for n, name in enumerate(("a.png", "a.jpg"))],
            "annotations": [
                {"image_id": n, "category_id": 1, "bbox": [1, 1, 2, 2], "segmentation": s}
                for n, s in enumerate(squares)
            ],
            "categories": [{"id": 1, "name": "Mass"}],
        }
    )
    picture("a.jpg")
    data, _, _ = prepare("coco", "--annotations", "training=instances.json", "--fractions", "0,0")
    left, right = (read_mask(tmp_path / "root" / item["mask"]["Mass"]) for item in data["training"])
    assert left[:4].any() and not left[4:].any() and right[4:].any() and not right[:4].any()


def test_several_files_of_one_section(prepare, write, table):
    write({**COCO, "images": COCO["images"][:1]})
    table("more.json", json.dumps({**COCO, "images": [{"id": 7, "file_name": "b.png"}], "annotations": []}))
    options = ("--annotations", "testing=instances.json", "--annotations", "testing=more.json")
    data, printed, _ = prepare("coco", *options)
    assert [item["image"] for item in data["testing"]] == ["a.png", "b.png"]
    assert "left out: 1 annotations of crowds; their category is present" in printed


def test_what_is_not_annotated_stays_so_on_the_way(prepare, write, tmp_path):
    root = write(COCO).parent
    item = {"image": "a.png", "label": [None, 1], "mask": {"B": None}, "mask_origin": "pseudo"}
    data = {"labels": ["A", "B"], "testing": [item, {"image": "b.png"}]}
    (root / "datalist.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["export", str(root / "datalist.json"), "--format", "coco", "--output", str(tmp_path / "coco")]) == 0
    found, _, _ = prepare("coco", "--annotations", f"testing={tmp_path / 'coco' / 'testing.json'}")
    assert found["testing"][0] == item and "boxes" not in found["testing"][1] and "mask" not in found["testing"][1]


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
