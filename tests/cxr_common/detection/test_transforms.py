"""Detections as findings in the pixels of the original."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.transforms import Compose, Resized
from PIL import Image

from cxr_common.detection import DetectFindingsd
from cxr_common.detection.transforms import slicer_boxes
from cxr_common.errors import InputError
from cxr_common.findings import Thresholds
from cxr_common.transforms import LoadRadiographd

LABELS = ("Mass", "Nodule", "Effusion")


def item(tmp_path, rows, logits=(0.0, 0.0, 0.0)):
    """A file of 60 columns and 40 rows as the network's input of 32 x 32."""
    Image.fromarray(np.tile(np.linspace(60, 120, 60), (40, 1)).astype(np.uint8)).save(tmp_path / "a.png")
    load = Compose([LoadRadiographd("image"), Resized("image", (32, 32), mode="area")])
    padding = torch.tensor([[0.0, 0, 0, 0, 0, -1]] * 2)
    pred = {"detections": torch.cat((torch.tensor(rows).reshape(-1, 6), padding)), "image_logits": torch.tensor(logits)}
    return {**load({"image": str(tmp_path / "a.png")}), "pred": pred}


def test_boxes_are_in_original_pixels_and_above_their_class_threshold(tmp_path):
    thresholds = Thresholds(LABELS, {"Mass": 0.6, "Nodule": 0.2, "Effusion": 0.5}, dict.fromkeys(LABELS, 0.5))
    rows = [[16.0, 8, 32, 16, 0.9, 0], [0, 0, 8, 8, 0.5, 0], [0, 24, 16, 32, 0.3, 1]]
    out = DetectFindingsd(thresholds=thresholds)(item(tmp_path, rows, (2.0, 0.0, -2.0)))
    mass, nodule, effusion = out["findings"]["findings"]
    assert mass["boxes"] == [{"box": [30.0, 10.0, 60.0, 20.0], "score": 0.9}]
    assert mass["point"] == [45.0, 15.0]
    assert (mass["probability"], mass["decision"]) == (0.9, True)
    assert mass["image_probability"] == pytest.approx(1 / (1 + np.exp(-2)), abs=1e-6)
    assert nodule["boxes"] == [{"box": [0.0, 30.0, 30.0, 40.0], "score": 0.3}]
    assert (effusion["probability"], effusion["decision"], effusion["boxes"], effusion["point"]) == (0, False, [], None)
    assert out["findings"]["size"] == [60, 40]
    assert out["label"].tolist() == [0, 1]
    # Without spacing a pixel is a millimetre, LPS: the first pixel's centre is 0, x and y grow to the left and down.
    np.testing.assert_allclose(out["box"][0], [44.5, 14.5, 0, 30, 10, 1])


def test_slicer_boxes_follow_the_affine():
    affine = np.diag([-0.5, -0.25, 1.0, 1.0])
    np.testing.assert_allclose(slicer_boxes(np.array([[0.0, 0, 4, 8]]), affine), [[0.75, 0.875, 0, 2, 2, 1]])
    assert slicer_boxes(np.zeros((0, 4))).shape == (0, 6)


def test_no_detection_and_a_threshold_of_zero_is_no_finding(tmp_path):
    thresholds = Thresholds(LABELS, dict.fromkeys(LABELS, 0.0), dict.fromkeys(LABELS, 0.5))
    out = DetectFindingsd(thresholds=thresholds)(item(tmp_path, []))
    assert not any(finding["decision"] for finding in out["findings"]["findings"])


def test_values_that_are_not_finite_and_other_classes_are_refused(tmp_path):
    detect = DetectFindingsd(thresholds=Thresholds.default(LABELS))
    with pytest.raises(InputError, match="finite"):
        detect(item(tmp_path, [[0.0, 0, 1, 1, float("nan"), 0]]))
    with pytest.raises(InputError, match="2 classes"):
        detect(item(tmp_path, [], (0.0, 0.0)))
    record = DetectFindingsd(thresholds=Thresholds.default(LABELS), on_error="record")(item(tmp_path, [], (0.0,)))
    assert "1 classes" in record["findings"]["failure"]["reason"]
