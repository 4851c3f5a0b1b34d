"""The refinement bundle on photographs: VOC's format through prepare, training, label maps and VOC's score."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.bundle import ConfigParser, ConfigWorkflow

from cxr_common.data import load_datalist, read_datalist, write_datalist
from cxr_common.data.label_map import read_label_map
from cxr_common.findings.heatmap_file import Heatmap, save_heatmap
from cxr_common.localization import CamClassifier
from cxr_common.networks.weights import save_weights
from cxr_tools.prepare.__main__ import main
from tests.bundles.cxr_irn_refinement.test_train import BUNDLE, run
from tests.bundles.training import weights
from tests.golden import REPOSITORY
from tests.voc_files import BUS, SHEEP, make_voc

CLASSIFIER = REPOSITORY / "bundles" / "cxr_gradcam_classification"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@pytest.fixture(scope="module")
def voc(tmp_path_factory):
    """A data set root: datalist of VOC-format files, and heatmaps that cover each object and a part of its surround."""
    folder = tmp_path_factory.mktemp("voc")
    label_maps = make_voc(folder / "VOC2099")
    assert main(["voc", "--root", str(folder / "VOC2099"), "--output", str(folder / "datalist.json")]) == 0
    data = read_datalist(folder / "datalist.json")
    for item in data["training"] + data["validation"]:
        name = item["image"][-15:-4]
        picture = torch.from_numpy(label_maps[name].T.copy())
        heat = torch.zeros(20, 24, 24)
        for value, strength in ((BUS, 0.9), (SHEEP, 0.3)):  # a classifier is surer of some classes than of others
            mask = (picture == value).float()[None, None]
            blurred = torch.nn.functional.avg_pool2d(mask, 9, 1, 4)
            small = torch.nn.functional.interpolate(blurred, size=(24, 24), mode="area")[0, 0]
            heat[value - 1] = strength * small / small.max().clamp_min(1e-6)
        size = (picture.shape[0], picture.shape[1])
        save_heatmap(Heatmap(heat.numpy(), tuple(data["labels"]), size), folder / f"{name}.npz")
        item["heatmap"] = f"{name}.npz"
    write_datalist(data, folder / "datalist.json")
    torch.manual_seed(0)
    save_weights(CamClassifier(20, 3, "resnet18"), folder / "backbone.pt")
    return folder


def options(voc, **more):
    return {"backbone": "resnet18", "backbone_weights": str(voc / "backbone.pt"), "batch_size": 4, **more}


@pytest.fixture(scope="module")
def trained(voc, tmp_path_factory):
    output = tmp_path_factory.mktemp("run")
    run(voc, output, "train_voc.yaml", **options(voc))
    return output


def test_the_overlay_has_the_published_constants():
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / name) for name in ("train.yaml", "train_voc.yaml")])
    published = {
        "foreground": 0.30,
        "background": 0.05,
        "max_epochs": 3,
        "batch_size": 32,
        "spatial_size": [512, 512],
        "rescale": [0.5, 1.5],
        "loss_radius": 10,
        "learning_rate": 0.1,
        "weight_decay": 1e-4,
        "radius": 5,
        "beta": 10,
        "steps": 256,
        "compete": True,
        "crf": True,
        "backbone": "resnet50",
    }
    assert {key: parser[key] for key in published} == published
    network = parser.get_parsed_content("network_def")
    assert network.backbone.conv1.weight.shape[1] == 3
    assert network.backbone.channels[-1] == 2048
    assert parser.get_parsed_content("refine#inferer").crop_size == 512


def test_training_leaves_weights_and_the_published_background(voc, trained):
    names = {p.name for p in trained.iterdir()}
    assert {"model.pt", "model_last.pt", "checkpoint.pt", "thresholds.json", "events"} <= names
    thresholds = json.loads((trained / "thresholds.json").read_text())
    assert set(thresholds["mask"].values()) == {0.25}
    assert thresholds["labels"][BUS - 1] == "bus"
    assert thresholds["tuned_on"]["input_size"] == [96, 96]
    state, backbone = weights(trained / "model.pt"), weights(voc / "backbone.pt")
    frozen = [key for key in state if key.startswith("backbone.")]
    assert frozen
    assert all(torch.equal(state[key], backbone[key]) for key in frozen)
    assert state["mean_shift"].abs().max() > 0
    assert weights(trained / "checkpoint.pt")["epoch"] == 2


def test_evaluation_scores_label_maps_by_vocs_rule(voc, trained, tmp_path):
    settings = options(voc, weights=str(trained / "model.pt"), steps=2, section="validation")
    run(voc, tmp_path, "train_voc.yaml", "evaluate.yaml", **settings)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    figures = metrics["segmentation"]["original"]["iou of the data set"]
    items = load_datalist(voc / "datalist.json", "validation")
    assert metrics["n_scored"] == len(items) == 2
    values = {}
    for value, name in ((0, "background"), (BUS, "bus"), (SHEEP, "sheep")):
        both = either = 0
        for item in items:
            true = read_label_map(item["label_map"], 20)
            found = read_label_map(tmp_path / "label_maps" / f"{item['image'][-15:-4]}.png", 20)
            assert set(np.unique(found)) <= {0, *(c + 1 for c in range(20) if item["label"][c])}
            counted = true != 255
            both += ((found == value) & (true == value) & counted).sum()
            either += (((found == value) | (true == value)) & counted).sum()
        values[name] = both / either
        assert figures["per_class"][name]["value"] == pytest.approx(values[name], rel=1e-9)
        assert values[name] > 0.25  # the heatmaps were of the right places, and are spread little
    assert figures["macro"]["value"] == pytest.approx(np.mean(list(values.values())), rel=1e-9)
    assert figures["per_class"]["cat"]["value"] is None


def test_image_and_labels_are_scaled_cropped_and_mirrored_alike(voc):
    parser = ConfigParser()
    parser.read_config([str(BUNDLE / "configs" / name) for name in ("train.yaml", "train_voc.yaml")])
    settings = {"dataset_dir": str(voc), "spatial_size": [96, 96], "crf": False, "device": "cpu", "foreground": 0.6}
    for key, value in settings.items():
        parser[key] = value
    dataset = parser.get_parsed_content("train#dataset")
    mean, std = (torch.tensor(v)[:, None, None] for v in (MEAN, STD))
    shifts = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
    right, things, buses = dict.fromkeys(shifts, 0.0), 0, []
    for epoch in range(12):
        dataset.set_epoch(epoch)
        for index in range(len(dataset)):
            item = dataset[index]
            image, label = item["image"], item["label"]
            assert image.shape == (3, 96, 96)
            assert label.shape == (1, 24, 24)
            assert label.dtype == torch.int64
            assert set(label.unique().tolist()) <= {0, BUS, SHEEP, 255}
            padded = (image == 0).all(0)[2::4, 2::4]
            assert (label[0][padded] == 255).all()
            red, green, blue = (image * std + mean)[:, 2::4, 2::4]
            colour = torch.full((24, 24), 0).where(green > torch.maximum(red, blue), BUS).where(blue < red + 0.1, SHEEP)
            colour[padded] = -1
            for shift in shifts:
                moved = label[0].roll(shift, (0, 1))
                right[shift] += float((moved == colour)[(moved == BUS) | (moved == SHEEP)].sum())
            things += int(((label == BUS) | (label == SHEEP)).sum())
            buses.append(int((label == BUS).sum()))
    best = right.pop((0, 0))
    assert best > 0.9 * things
    assert best > 1.02 * max(right.values())  # one cell aside fits less
    assert max(buses) > 3 * min(b for b in buses if b > 4)  # scales from .5 to 1.5
    again = dataset[0]["image"]
    assert torch.equal(again, dataset[0]["image"])


def test_a_classifier_of_photographs_is_a_matter_of_options_and_its_heatmaps_train(voc, tmp_path):
    """The commands of the card, with a small backbone, size and number of epochs."""
    small = {"backbone": "resnet18", "spatial_size": [64, 64], "device": "$torch.device('cpu')", "amp": False}
    rgb = {"network_def#in_channels": 3, "intensity_mean": MEAN, "intensity_std": STD}
    steps = {
        "train.yaml": {
            "dataset_dir": str(voc),
            "load#0#channels": 3,
            "normalize#channel_wise": True,
            "rotation_prob": 0,
            "batch_size": 4,
            "max_epochs": 1,
            "output_dir": str(tmp_path / "classifier"),
        },
        "inference.json": {
            "dataset_dir": str(voc / "VOC2099" / "JPEGImages"),
            "weights": str(tmp_path / "classifier/model.pt"),
            "preprocessing#transforms#0#channels": 3,
            "preprocessing#transforms#2#channel_wise": True,
            "network_def#num_classes": 20,
            "network_def#output_stride": 8,
            "findings_writer#read_picture": None,
            "output_dir": str(tmp_path / "heatmaps"),
        },
    }
    for file, settings in steps.items():
        flow = ConfigWorkflow(
            config_file=str(CLASSIFIER / "configs" / file),
            workflow_type="train" if file == "train.yaml" else "infer",
            bundle_root=str(CLASSIFIER),
            **small,
            **rgb,
            **settings,
        )
        flow.initialize()
        flow.run()
        flow.finalize()
    data = read_datalist(voc / "datalist.json")
    for item in data["training"] + data["validation"]:
        del item["heatmap"]
    write_datalist(data, voc / "bare.json")
    files = {"datalist": str(voc / "bare.json"), "heatmap_dir": str(tmp_path / "heatmaps")}
    own = {**files, "max_epochs": 1, "backbone_weights": str(tmp_path / "classifier" / "model.pt")}
    run(voc, tmp_path / "run", "train_voc.yaml", **options(voc, **own))
    assert (tmp_path / "run" / "thresholds.json").is_file()
