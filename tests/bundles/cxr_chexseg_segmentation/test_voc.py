"""WSMIS' third step on a tiny data set in PASCAL VOC's format: learn from label maps, score by VOC's rule."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser

from cxr_common.data.label_map import read_label_map, write_label_map
from cxr_common.errors import find_input_error
from cxr_tools.prepare.__main__ import main
from tests.bundles.training import train, weights
from tests.golden import REPOSITORY
from tests.voc_files import BUS, make_voc

BUNDLE = REPOSITORY / "bundles" / "cxr_chexseg_segmentation"
SMALL = {"spatial_size": [64, 64], "batch_size": 2, "max_epochs": 1, "backbone": "resnet18", "atrous_rates": [1, 2, 3]}


@pytest.fixture(scope="module")
def voc(tmp_path_factory):
    """A data set, and in ``pseudo`` label maps of its training images that know the bus alone."""
    folder = tmp_path_factory.mktemp("voc")
    label_maps = make_voc(folder / "VOC2099")
    assert main(["voc", "--root", str(folder / "VOC2099"), "--output", str(folder / "datalist.json")]) == 0
    for name, label_map in [*label_maps.items()][:4]:
        write_label_map((label_map.T == BUS).astype(np.uint8) * BUS, folder / "pseudo" / f"{name}.png")
    return folder


def test_training_and_evaluation(voc, tmp_path):
    given = {"dataset_dir": str(voc), **SMALL}
    train(BUNDLE, ("train.yaml", "train_voc.yaml"), tmp_path / "run", **given, label_maps=str(voc / "pseudo"))
    assert weights(tmp_path / "run" / "model.pt")["head.weight"].shape[0] == 21
    configs = ("train.yaml", "train_voc.yaml", "evaluate_voc.yaml")
    train(BUNDLE, configs, tmp_path / "out", **given, weights=str(tmp_path / "run" / "model.pt"))
    report = json.loads((tmp_path / "out" / "metrics.json").read_text(encoding="utf-8"))
    assert report["n_scored"] == 2 and report["weights_sha256"]
    assert 0 <= report["segmentation"]["original"]["iou of the data set"]["macro"]["value"] <= 1
    for path in (tmp_path / "out" / "label_maps").glob("*.png"):
        assert read_label_map(path, 20).shape == read_label_map(voc / "VOC2099/SegmentationClass" / path.name, 20).shape


def test_image_and_labels_are_scaled_cropped_and_mirrored_alike(voc):
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / name) for name in ("train.yaml", "train_voc.yaml")])
    parser.update({"dataset_dir": str(voc), "spatial_size": [96, 96], "device": "cpu"})
    dataset = parser.get_parsed_content("train#dataset")
    mean, deviation = (torch.tensor(parser[f"intensity_{name}"]).view(-1, 1, 1) for name in ("mean", "std"))
    sides = set()
    for epoch in range(6):
        dataset.set_epoch(epoch)
        item = dataset[0]
        assert item["image"].shape == (3, 96, 96) and item["label"].shape == (96, 96)
        red = (item["image"] * deviation + mean)[0] > 0.6
        bus, known = item["label"] == BUS, item["label"] != 255
        assert (red & bus).sum() > 0.9 * (red & known).sum() and bus.any() and not known.all()
        sides.add(bool(bus.nonzero()[:, 0].float().mean() > 48))
    whole = parser.get_parsed_content("validate#dataset")[0]
    assert whole["label"].shape == (96, 96) and set(whole["label"].unique().tolist()) >= {0, BUS, 255}


def test_label_maps_that_are_missing(voc, tmp_path):
    with pytest.raises(Exception) as caught:
        given = {"dataset_dir": str(voc), **SMALL, "label_maps": str(tmp_path / "none")}
        train(BUNDLE, ("train.yaml", "train_voc.yaml"), tmp_path / "run", **given)
    error = find_input_error(caught.value)
    assert error is not None and error.where == str(tmp_path / "none")
