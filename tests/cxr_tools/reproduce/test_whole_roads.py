"""SIIM-ACR, PASCAL VOC and VinDr-CXR with NIH: miniatures in the genuine layout go through prepare and reproduce."""

from __future__ import annotations

import json

import pytest

from cxr_common.networks.backbones import make_backbone
from cxr_tools.prepare.__main__ import main as prepare
from cxr_tools.reproduce.__main__ import main as reproduce
from tests.cxr_common.networks.test_pretrained import torchvision_file
from tests.cxr_tools.reproduce.miniatures import write_nih, write_siim, write_vindr
from tests.voc_files import make_voc

TINY = ("backbone=resnet18", "max_epochs=1", "batch_size=4", "spatial_size=[64, 64]")


def rows_of(recipe, datalist, output, *sets, weights=None):
    given = [] if weights is None else ["--weights", str(weights)]
    options = given + [part for text in sets for part in ("--set", text)]
    assert reproduce([recipe, "--datalist", str(datalist), "--output", str(output), *options]) == 0
    record = json.loads((output / "reproduce.json").read_text(encoding="utf-8"))
    assert not record["whole"]
    return {row["figure"]: row for row in record["rows"]}


@pytest.mark.slow
def test_siim(tmp_path):
    write_siim(tmp_path / "siim")
    datalist = tmp_path / "siim" / "datalist.json"
    options = ["--masks-in", "validation,testing", "--fractions", "0.2,0.2", "--output", str(datalist)]
    assert prepare(["siim", "--root", str(tmp_path / "siim"), *options]) == 0
    sets = (*TINY, "relation_network.spatial_size=[96, 96]", "relation_network.max_epochs=1")
    rows = rows_of("siim_wsmis", datalist, tmp_path / "out", *sets)
    assert 0 <= rows["Dice, two empty masks agree fully, macro"]["measured"]["value"] <= 1
    assert rows["IoU of images, true positives, macro"]["published"] == [".148"]


@pytest.mark.slow
def test_voc(tmp_path):
    make_voc(tmp_path / "VOC2012")
    datalist = tmp_path / "voc" / "datalist.json"
    assert prepare(["voc", "--root", str(tmp_path / "VOC2012"), "--output", str(datalist)]) == 0
    sets = (
        *(
            "backbone=resnet18",
            "classifier.spatial_size=[64, 64]",
            "classifier.max_epochs=1",
            "classifier.batch_size=4",
        ),
        *("relation_network.max_epochs=1", "relation_network.batch_size=4", "pseudo_masks.steps=2"),
        "relation_network.spatial_size=[96, 96]",
        *("segmenter.spatial_size=[64, 64]", "segmenter.max_epochs=1", "segmenter.batch_size=2"),
    )
    torchvision_file(make_backbone("resnet18"), tmp_path / "imagenet.pth")
    rows = rows_of("voc_wsmis", datalist, tmp_path / "out", *sets, weights=tmp_path / "imagenet.pth")
    figure = rows["mIoU of the training images, 21 classes with background, void left out, macro"]
    assert 0 <= figure["measured"]["value"] <= 1 and figure["published"] == [".665", ".483"]
    figure = rows["mIoU of the validation images, 21 classes with background, void left out, macro"]
    assert 0 <= figure["measured"]["value"] <= 1 and figure["published"] == [".635"]
    assert len(list((tmp_path / "out" / "segmentation" / "label_maps").glob("*.png"))) == 2


@pytest.mark.slow
def test_vindr_with_labels_of_nih(tmp_path):
    write_vindr(tmp_path / "vindr")
    write_nih(tmp_path / "nih")
    given = {name: tmp_path / name / "datalist.json" for name in ("vindr", "nih")}
    options = {"vindr": ["--fractions", "0.3,0"], "nih": ["--split", "test=none", "--fractions", "0,0"]}
    for name, path in given.items():
        asked = ["--labels", "shared", "--output", str(path), *options[name]]
        assert prepare([name, "--root", str(tmp_path / name), *asked]) == 0
    merged = tmp_path / "oxnet" / "datalist.json"
    paths = [str(path) for path in given.values()]
    assert prepare(["merge", *paths, "--names", "vindr", "nih", "--labels", "shared", "--output", str(merged)]) == 0
    sets = ("backbone=resnet18", "max_epochs=1", "num_workers=0", "spatial_size=[64, 64]", "frozen_batch_norm=false")
    rows = rows_of("vindr_oxnet", merged, tmp_path / "out", *sets)
    assert rows["AP40"]["measured"]["n_images"] == 4 and rows["AP40"]["published"] == []
