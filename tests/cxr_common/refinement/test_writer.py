from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.data import load_datalist, read_picture
from cxr_common.findings import WSMIS, FindingsWriter, Thresholds
from cxr_common.refinement import RefineHeatmapd
from cxr_common.refinement.writer import BoundaryPng, PseudoMaskDatalist
from cxr_common.transforms import LoadRadiographd

LABELS = ("Mass", "Nodule", "Effusion")


def make_writer(folder, **options):
    return FindingsWriter(
        folder / "out",
        Thresholds.default(LABELS),
        "bundle",
        "1.0",
        outputs=["json", "npz", "png", "nifti", "boundary", "datalist"],
        own_outputs={"boundary": BoundaryPng(), "datalist": PseudoMaskDatalist()},
        input_dir=folder / "in",
        heatmap_key="refined",
        **options,
    )


@pytest.fixture
def written(tmp_path):
    (tmp_path / "in").mkdir()
    grey = np.tile(np.linspace(60, 120, 90), (60, 1)).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "in" / "a.png")
    load = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])
    item = load({"image": str(tmp_path / "in" / "a.png")})
    heat, pred = torch.zeros(3, 32, 32), torch.zeros(3, 8, 8)
    heat[0, 20:24, 4:8] = 0.7
    pred[0, 7, 0] = 1.0  # a boundary at the top right
    item |= {"heatmap": heat, "pred": pred, "label": [1, 0, None], "probability": [0.7, 0.1, 0.4]}
    item = RefineHeatmapd(thresholds=Thresholds.default(LABELS), walk=WSMIS)(item)
    writer = make_writer(tmp_path, read_picture=read_picture)
    writer.write_item(item)
    writer.write_record()
    return tmp_path


def test_the_datalist_is_ready_for_a_segmenter(written):
    (item,) = load_datalist(written / "out" / "datalist.json", "training")
    assert item["image"] == str(written / "in" / "a.png")
    assert item["mask"] == {"Mass": str(written / "out" / "a_Mass.nii.gz"), "Nodule": None}
    assert item["mask_origin"] == "pseudo"
    assert item["label"] == [1, 0, None]  # Effusion is not annotated, so it has no mask and no empty one


def test_the_boundary_picture_is_the_right_way_round(written):
    picture = np.asarray(Image.open(written / "out" / "a_boundary.png"))
    assert picture.shape == (8, 8)
    assert picture[0, 7] == 255
    assert picture.sum() == 255
    record = json.loads((written / "out" / "findings.json").read_text())
    assert record["images"][0]["files"]["boundary"] == "a_boundary.png"


def test_an_image_that_fails_later_keeps_no_boundary_of_an_earlier_run(written):
    failed = SimpleNamespace(path=str(written / "in" / "a.png"), reason="x", action="y")
    make_writer(written, loader=SimpleNamespace(failures=[failed])).write_record()
    assert not (written / "out" / "a_boundary.png").exists()
    assert json.loads((written / "out" / "datalist.json").read_text())["training"] == []
