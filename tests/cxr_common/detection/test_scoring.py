"""A detector's figures and thresholds from a data set."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.data import Dataset
from monai.transforms import Compose, Resized, SelectItemsd
from PIL import Image
from torch import nn

from cxr_common.detection import detect, evaluate_detector, tune_detector
from cxr_common.errors import InputError
from cxr_common.findings import BoxThresholds, load_thresholds
from cxr_common.networks import save_weights
from cxr_common.transforms import EncodeLabeld, LoadRadiographd

LABELS = ["a", "b"]


class Marker(nn.Module):
    """Stands for a network; what it finds is in :func:`infer`."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))


def infer(image, network):
    """A box of class a on the bright half with its brightness as score, and a false one of class b of score .2."""
    n = len(image)
    bright = torch.stack((image[:, 0, :16].mean((1, 2)), image[:, 0, 16:].mean((1, 2))), 1)
    score, half = bright.max(1)
    rows = torch.zeros(n, 3, 6)
    rows[:, 2, 5] = -1
    rows[:, 0] = torch.stack((16.0 * half, half * 0, 16.0 * half + 16, half * 0 + 32, score, half * 0), 1)
    rows[:, 1] = torch.tensor([0, 0, 8, 8, 0.2, 1.0])
    return {"detections": rows, "image_logits": torch.stack((score, -score), 1)}


@pytest.fixture
def run(tmp_path):
    """Eight pictures of 60 x 40, the bright half of six boxed as class a; the last two are dim and have no finding."""
    items = []
    for i in range(8):
        picture = np.full((40, 60), 20, np.uint8)
        left = 30 * (i % 2)
        picture[:, left : left + 30] = 200 if i < 6 else 40
        picture[0, 0], picture[0, 1] = 0, 255
        Image.fromarray(picture).save(tmp_path / f"{i}.png")
        there = {"boxes": [[left, 0, left + 30, 40]], "box_labels": [0]} if i < 6 else {"boxes": [], "box_labels": []}
        items.append({"image": str(tmp_path / f"{i}.png"), "patient": str(i), "label": [int(i < 6), None], **there})
    load = [
        *(LoadRadiographd("image"), Resized("image", (32, 32), mode="area")),
        *(EncodeLabeld("label", LABELS), SelectItemsd(["image", "label"])),
    ]
    network = Marker()
    save_weights(network, tmp_path / "model.pt")
    return network, Dataset(items, Compose(load)), tmp_path


def test_predictions_are_in_network_pixels(run):
    network, dataset, _ = run
    found = detect(network, dataset, LABELS, infer)
    boxes, classes = found.boxes()
    np.testing.assert_allclose(boxes[1], [[16, 0, 32, 32]])
    assert classes[1] == [0]
    np.testing.assert_allclose(found.detections[1].boxes[0], [16, 0, 32, 32])
    assert found.input_size == (32, 32)


def test_tuned_thresholds_part_hits_from_false_boxes_and_metrics_follow_them(run):
    network, dataset, folder = run
    thresholds = tune_detector(network, dataset, LABELS, folder, infer)
    assert 0.2 < thresholds.decision["a"] < 0.75
    assert thresholds.decision["b"] == 0.5
    assert load_thresholds(folder / "thresholds.json", LABELS, folder / "model.pt") == thresholds
    report = evaluate_detector(network, dataset, thresholds, folder, infer, weights=folder / "model.pt", n_resamples=20)
    assert json.loads((folder / "metrics.json").read_text()) == report
    assert report["average_precision"]["all"]["AP40"]["value"] == pytest.approx(1)
    at = report["localization_fractions"]["iou"]["per_class"]
    assert at["a"]["LLF"]["value"] == pytest.approx(1)
    assert at["a"]["NLF"]["value"] == pytest.approx(0)  # the dim images' boxes are below the threshold
    assert at["b"]["NLF"]["value"] == pytest.approx(0)
    # Nothing is said of class b, so its boxes are no false positives at any score; of class a the dim images' are.
    assert report["froc"]["iou"]["per_class"]["b"]["mean"]["value"] is None
    known = detect(network, dataset, LABELS, infer).known
    assert known.tolist() == [[True, False]] * 8
    assert report["image_auroc_global_head"]["per_class"]["a"]["value"] == pytest.approx(1)
    assert report["n_annotated"] == 8
    with np.load(folder / "predictions.npz", allow_pickle=False) as file:
        assert file["rows"].shape == (8, 3, 6)


def test_data_without_boxes_tune_nothing_and_are_refused(run):
    network, dataset, folder = run
    items = [{"image": item["image"], "label": item["label"]} for item in dataset.data]
    options = {"weights": folder / "model.pt", "kept": BoxThresholds.default(LABELS)}
    with pytest.raises(InputError, match="no class of its 8 images can be tuned: a class needs 5 boxes"):
        tune_detector(network, Dataset(items, dataset.transform), LABELS, folder / "new", infer, **options)
    assert not (folder / "new").exists()
