"""YOLO txt out."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from PIL import Image

from cxr_tools.prepare.__main__ import main


@pytest.fixture
def datalist(tmp_path):
    for folder in "xy":
        (tmp_path / folder).mkdir()
        Image.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / folder / "a.png")
    items = [{"image": "x/a.png", "boxes": [[2, 0, 4, 3], [0, 0, 9, 6]], "box_labels": [1, 0]}, {"image": "y/a.png"}]
    data = {
        "labels": ["A", "B"],
        "training": items,
        "validation": [{"image": "x/../y/a.png", "boxes": []}],
        "testing": [],
    }
    data["validation"][0] |= {"image": "z.png", "box_labels": []}
    Image.fromarray(np.zeros((6, 8), np.uint8)).save(tmp_path / "z.png")
    (tmp_path / "datalist.json").write_text(json.dumps(data), encoding="utf-8")
    return tmp_path / "datalist.json"


def test_files_and_images_that_are_not_annotated(datalist, tmp_path, capsys):
    assert main(["export", str(datalist), "--format", "yolo", "--output", str(tmp_path / "yolo")]) == 0
    assert "left out: 1 images without boxes" in capsys.readouterr().out
    lines = (tmp_path / "yolo/labels/train/x_a.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["1 0.375000 0.250000 0.250000 0.500000", "0 0.500000 0.500000 1.000000 1.000000"]
    assert (tmp_path / "yolo/labels/val/z.txt").read_text(encoding="utf-8") == ""
    assert Image.open(tmp_path / "yolo/images/train/x_a.png").size == (8, 6)
    assert not (tmp_path / "yolo/images/train/y_a.png").exists()
    found = yaml.safe_load((tmp_path / "yolo/data.yaml").read_text(encoding="utf-8"))
    assert found["names"] == {0: "A", 1: "B"} and found["train"] == "images/train" and found["val"] == "images/val"


def test_images_with_one_name_keep_apart(datalist, tmp_path, capsys):
    data = json.loads(datalist.read_text(encoding="utf-8"))
    Image.fromarray(np.full((6, 8), 9, np.uint8)).save(tmp_path / "x_a.png")
    data["training"].append({"image": "x_a.png", "boxes": [[1, 1, 2, 2]], "box_labels": [0]})
    datalist.write_text(json.dumps(data), encoding="utf-8")
    assert main(["export", str(datalist), "--format", "yolo", "--output", str(tmp_path / "yolo")]) == 0
    pictures = sorted((tmp_path / "yolo/images/train").iterdir())
    assert len(pictures) == 2 == len(list((tmp_path / "yolo/labels/train").iterdir()))
    assert {np.asarray(Image.open(path)).max() for path in pictures} == {0, 9}
    assert np.asarray(Image.open(tmp_path / "x" / "a.png")).max() == 0


def test_a_missing_image_leaves_nothing(datalist, tmp_path, capsys):
    (tmp_path / "z.png").unlink()
    assert main(["export", str(datalist), "--format", "yolo", "--output", str(tmp_path / "yolo")]) == 1
    assert "z.png: no such file" in capsys.readouterr().err and not list((tmp_path / "yolo").glob("*"))


def test_the_data_sets_own_folders_are_not_replaced(datalist, tmp_path, capsys):
    assert main(["export", str(datalist), "--format", "yolo", "--output", str(tmp_path)]) == 1
    assert "exists and is not an empty folder; choose another" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["datalist.json", "x", "y", "z.png"]
