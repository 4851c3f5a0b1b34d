"""Files of a detector's run."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.data import read_picture
from cxr_common.detection import CocoBoxes, DetectFindingsd
from cxr_common.findings import FindingsWriter, Thresholds
from cxr_common.transforms import LoadRadiographd

LABELS = ("Mass", "Nodule")


@pytest.fixture
def written(tmp_path):
    (tmp_path / "in").mkdir()
    load = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])
    writer = FindingsWriter(
        tmp_path / "out",
        Thresholds.default(LABELS),
        "bundle",
        "1.0",
        outputs=["json", "png", "coco"],
        own_outputs={"coco": CocoBoxes()},
        heatmap_key=None,
        masks_key=None,
        read_picture=read_picture,
        input_dir=tmp_path / "in",
    )
    detect = DetectFindingsd(thresholds=Thresholds.default(LABELS))
    for name, rows in (("a", [[16.0, 8, 32, 16, 0.9, 1]]), ("b", [])):
        Image.fromarray(np.full((40, 60), 90, np.uint8)).save(tmp_path / "in" / f"{name}.png")
        pred = {"detections": torch.tensor(rows).reshape(-1, 6), "image_logits": torch.zeros(2)}
        writer.write_item(detect({**load({"image": str(tmp_path / "in" / f"{name}.png")}), "pred": pred}))
    return tmp_path / "out", writer.write_record()


def test_the_coco_file_has_every_image_and_box(written):
    folder, record = written
    assert record["failures"] == []
    coco = json.loads((folder / "boxes_coco.json").read_text())
    assert [(i["id"], i["file_name"], i["width"], i["height"]) for i in coco["images"]] == [
        (1, "a.png", 60, 40),
        (2, "b.png", 60, 40),
    ]
    (box,) = coco["annotations"]
    assert box["bbox"] == [30, 10, 30, 10]
    assert (box["image_id"], box["category_id"], box["score"], box["area"]) == (1, 2, 0.9, 300)
    assert coco["categories"] == [{"id": 1, "name": "Mass"}, {"id": 2, "name": "Nodule"}]


def test_an_overlay_an_image_and_no_heatmap(written):
    folder, record = written
    assert sorted(p.name for p in folder.iterdir()) == [
        "a_overlay.png",
        "b_overlay.png",
        "boxes_coco.json",
        "findings.json",
    ]
    assert record["images"][0]["files"] == {"overlay": "a_overlay.png"}
    drawn, empty = (np.asarray(Image.open(folder / f"{name}_overlay.png")).astype(int) for name in "ab")
    height = min(len(drawn), len(empty))
    picture = (slice(60, height - 80), slice(20, 700))
    assert np.abs(drawn[picture] - empty[picture]).max() > 50  # the box
