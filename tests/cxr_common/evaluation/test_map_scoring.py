from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.data import Dataset
from monai.transforms import Compose, Resized
from PIL import Image
from torch import nn

from cxr_common.errors import InputError
from cxr_common.evaluation import data_sha256, evaluate, predict, tune_thresholds
from cxr_common.findings import BoxThresholds, Thresholds, load_thresholds
from cxr_common.networks import save_weights
from cxr_common.transforms import EncodeLabeld, LoadRadiographd


class Brightness(nn.Module):
    """A segmenter whose probability is the picture's brightness: class a as it is, class b the darkness."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, image):
        bright = torch.logit(image.clamp(0.01, 0.99)) * self.scale
        return torch.cat((bright, -bright), 1)

    def pool(self, maps):
        return maps.amax((-2, -1))


@pytest.fixture
def run(tmp_path):
    """Weights and six pictures with a patch of .62 on .38, of which the mask of class a is the patch."""
    items = []
    for i in range(6):
        picture = np.full((32, 32), round(0.38 * 255), np.uint8)
        picture[4 : 12 + i, 6:20] = round(0.62 * 255)
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        Image.fromarray(picture > 100).save(tmp_path / f"{i}_mask.png")
        item = {"image": str(tmp_path / f"{i}.png"), "patient": str(i // 2)}
        items.append({**item, "mask": {"a": str(tmp_path / f"{i}_mask.png")}})
    network = Brightness()
    save_weights(network, tmp_path / "model.pt")
    load = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])
    return network, Dataset(items, load), tmp_path


def test_thresholds_of_a_segmenter_are_tuned_on_masks(run):
    network, dataset, folder = run
    thresholds = tune_thresholds(network, dataset, ["a", "b"], folder, masks=True)
    # From .4 on the background is out; the lowest of the equal thresholds is taken. Class b has no mask: the default.
    assert thresholds.mask == {"a": 0.4, "b": 0.5}
    assert thresholds.decision == {"a": 0.5, "b": 0.5}  # without labels
    assert thresholds.mask_mode == "absolute"
    assert thresholds.tuned_on["n_with_masks"] == 6
    again = load_thresholds(folder / "thresholds.json", ["a", "b"], folder / "model.pt")
    assert again == thresholds


KEPT = Thresholds(("a", "b"), {"a": 0.7, "b": 0.5}, {"a": 0.65, "b": 0.5}, "absolute")


@pytest.mark.parametrize("kept", [None, KEPT])
def test_a_class_that_a_segmenter_does_not_find_gets_no_mask_of_the_whole_picture(run, kept):
    network, dataset, folder = run
    items = [{**item, "mask": {"b": item["mask"]["a"]}} for item in dataset.data]  # "b" is bright where nothing is
    for i, item in enumerate(items):
        picture = np.full((32, 32), round(0.995 * 255), np.uint8)
        Image.fromarray(picture).save(item["image"])
        Image.fromarray(np.eye(32, k=i) > 0).save(item["mask"]["b"])
    thresholds = tune_thresholds(network, Dataset(items, dataset.transform), ["a", "b"], folder, masks=True, kept=kept)
    assert thresholds.mask["b"] == 0.5  # only 0, where everything is a mask, meets any pixel
    assert thresholds.mask["a"] == (0.65 if kept else 0.5)


@pytest.mark.parametrize("masks", [True, False])
def test_data_of_which_nothing_can_be_tuned_are_refused(run, masks):
    network, dataset, folder = run
    items = [{key: item[key] for key in ("image", "patient")} for item in dataset.data]
    with pytest.raises(InputError, match=r"no class of its 6 images can be tuned: a decision needs 5 images with"):
        options = {"masks": masks, "weights": folder / "model.pt", "kept": KEPT}
        tune_thresholds(network, Dataset(items, dataset.transform), ["a", "b"], folder / "new", **options)
    assert not (folder / "new").exists()


def test_thresholds_of_a_detector_are_none_to_keep(run):
    network, dataset, folder = run
    kept = BoxThresholds.default(["a", "b"])
    with pytest.raises(InputError, match="thresholds are of boxes, not of maps"):
        tune_thresholds(network, dataset, ["a", "b"], folder / "new", weights=folder / "model.pt", kept=kept)


def test_decisions_of_a_segmenter_are_tuned_on_labels(tmp_path):
    """Half of the pictures have a finding of .8, the others an uncertain spot of .6, which a mask would include."""
    items, labels = [], ["a", "b"]
    for i in range(20):
        picture = np.full((32, 32), 51, np.uint8)
        picture[4:12, 4:12] = 204 if i < 10 else 153
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        mask = picture > 100 if i < 10 else np.zeros_like(picture, bool)
        Image.fromarray(mask).save(tmp_path / f"{i}_mask.png")
        item = {"image": str(tmp_path / f"{i}.png"), "patient": str(i), "label": [int(i < 10), 0]}
        items.append({**item, "mask": {"a": str(tmp_path / f"{i}_mask.png")}})
    network = Brightness()
    save_weights(network, tmp_path / "model.pt")
    load = [LoadRadiographd("image"), Resized("image", (32, 32), mode="area"), EncodeLabeld("label", labels)]
    dataset = Dataset(items, Compose(load))
    probabilities = predict(network, dataset, labels).probabilities[:, 0]
    thresholds = tune_thresholds(network, dataset, labels, tmp_path, masks=True)
    assert probabilities[10:].max() < thresholds.decision["a"] < probabilities[:10].min()
    assert thresholds.decision["a"] >= thresholds.mask["a"]


def test_a_segmenter_is_scored_with_its_thresholds(run):
    network, dataset, folder = run
    thresholds = tune_thresholds(network, dataset, ["a", "b"], folder, masks=True)
    evaluate(network, dataset, thresholds, folder / "eval", weights=folder / "model.pt", n_resamples=20, masks=True)
    report = json.loads((folder / "eval" / "metrics.json").read_text())
    assert report["thresholds"]["mask_mode"] == "absolute"
    for geometry in ("original", "network"):
        figures = report["segmentation"][geometry]
        assert figures["iou of the data set"]["per_class"]["a"]["value"] == 1
        assert figures["dice"]["macro"] == {**figures["dice"]["macro"], "value": 1, "low": 1, "high": 1}
        assert figures["iou of images"]["per_class"]["b"]["value"] is None
        assert figures["hit rate"]["per_class"]["a"]["value"] == 1
    assert report["image_labels"]["auroc"]["macro"]["value"] is None  # no image has a label


def test_masks_count_in_the_data_hash_where_they_are_used(run):
    _, dataset, folder = run
    before = data_sha256(dataset.data), data_sha256(dataset.data, masks=True)
    Image.fromarray(np.zeros((32, 32), bool)).save(folder / "0_mask.png")
    assert data_sha256(dataset.data) == before[0]
    assert data_sha256(dataset.data, masks=True) != before[1]
