from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.findings.heatmap_file import Heatmap, save_heatmap
from cxr_common.refinement import CalibrateHeatmapd, LoadHeatmapd


@pytest.fixture
def path(tmp_path):
    maps = np.zeros((2, 4, 3), np.float16)
    maps[1, 3, 0] = 0.5
    save_heatmap(Heatmap(maps, ("Mass", "Nodule"), (40, 30)), tmp_path / "x_heatmap.npz")
    return str(tmp_path / "x_heatmap.npz")


def test_classes_come_in_the_order_wanted(path):
    maps = LoadHeatmapd("heatmap", ["Nodule", "Mass"])({"heatmap": path, "other": 1})["heatmap"]
    assert maps.dtype == torch.float32
    assert maps.shape == (2, 4, 3)
    assert maps[0, 3, 0] == 0.5
    assert maps[1].max() == 0


def test_a_class_that_is_not_there_is_named(path):
    with pytest.raises(InputError, match="Effusion"):
        LoadHeatmapd("heatmap", ["Mass", "Effusion"])({"heatmap": path})


def test_what_the_localiser_said_is_put_in_the_same_order(path):
    said = {"label_names": ("Mass", "Nodule"), "decision": [1, 0], "probability": [0.75, 0.25], "image": "x"}
    load = LoadHeatmapd("heatmap", ["Nodule", "Mass"])
    out = load({"heatmap": path, **said})
    assert out["label"].tolist() == out["decision"].tolist() == [0, 1]
    assert out["probability"].tolist() == [0.25, 0.75]
    own = torch.tensor([1.0, torch.nan])
    assert load({"heatmap": path, **said, "label": own})["label"] is own


def test_heatmaps_are_made_where_there_are_none():
    asked = []

    def localizer(image):
        asked.append(image)
        maps = torch.stack((torch.zeros(4, 4), torch.ones(4, 4)))
        return {"heatmap": maps, "label_names": ["Mass", "Nodule"], "decision": [0, 1], "probability": [0.1, 0.9]}

    out = LoadHeatmapd("heatmap", ["Nodule"], localizer)({"image": "x.png"})
    assert asked == ["x.png"]
    assert out["heatmap"].tolist() == torch.ones(1, 4, 4).tolist()
    assert out["label"].tolist() == [1]


def test_no_heatmap_and_no_localiser_is_an_error():
    with pytest.raises(InputError, match="has no heatmap"):
        LoadHeatmapd("heatmap", ["Nodule"])({"image": "x.png"})


def test_calibration_brings_each_threshold_to_one_level_and_keeps_the_order():
    torch.manual_seed(0)
    heat = torch.rand(3, 16, 16) * torch.tensor([0.9, 0.4, 1.0])[:, None, None]
    threshold = torch.tensor([0.005, 0.8, 0.25])
    out = CalibrateHeatmapd(level=0.25)({"heatmap": heat, "mask_threshold": threshold, "other": 1})
    assert set(out) == {"heatmap", "other"}
    peak = heat.amax((1, 2), keepdim=True)
    torch.testing.assert_close(out["heatmap"].amax((1, 2), keepdim=True), peak)
    for c in range(3):
        above = heat[c] > threshold[c] * peak[c]
        assert 0 < above.sum() < above.numel()
        assert torch.equal(out["heatmap"][c] > 0.25 * peak[c], above)
    torch.testing.assert_close(out["heatmap"][2], heat[2])
    assert torch.equal(out["heatmap"][0].flatten().argsort(), heat[0].flatten().argsort())


def test_calibration_leaves_alone_what_has_no_threshold_and_what_is_empty():
    heat = torch.zeros(1, 4, 4)
    out = CalibrateHeatmapd()({"heatmap": heat, "mask_threshold": torch.tensor([0.1])})
    assert torch.equal(out["heatmap"], heat)
    assert CalibrateHeatmapd()({"heatmap": heat})["heatmap"] is heat
    assert CalibrateHeatmapd(level=None)({"heatmap": heat, "mask_threshold": [0.1]})["heatmap"] is heat
