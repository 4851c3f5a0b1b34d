from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cxr_common.data import load_datalist
from cxr_common.errors import InputError
from cxr_common.exports import OnnxFile
from tests.golden import REPOSITORY
from tools.bench.tables import int8_table
from tools.int8 import EXPERIMENT, OnnxLocalizer, bench_int8, measure, quantised
from tools.nih.nih import scored_images
from tools.results.data import prepare
from tools.results.plan import plan_runs, shipped
from tools.results.settings import load_settings

NIH = REPOSITORY.parent / "shared" / "nih"


class Small(torch.nn.Module):
    """Two convolutions, which give logit maps of two classes."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        conv = torch.nn.Conv2d
        self.layers = torch.nn.Sequential(conv(1, 64, 5, 2, 2), torch.nn.ReLU(), conv(64, 2, 5, 2, 2))

    def forward(self, image):
        return self.layers(image)

    def pool(self, maps):
        return maps.amax((2, 3))


def test_a_quantised_network_says_nearly_the_same_and_is_smaller(tmp_path):
    network, pictures = Small().eval(), list(torch.randn(8, 1, 1, 64, 64))
    files = quantised(network, pictures, tmp_path)
    localizer = OnnxLocalizer(OnnxFile(files["int8"]), network)
    with torch.no_grad():
        expected, found = network(pictures[0]), localizer(pictures[0])
    assert 0 < (found - expected).abs().max() < 0.1 * expected.abs().max()
    assert localizer.pool(found).shape == (1, 2)
    assert localizer(torch.stack(pictures)[:3, 0]).shape[0] == 3


def test_without_the_images_one_error_says_so(tmp_path):
    with pytest.raises(InputError, match="not there"):
        bench_int8(tmp_path / "out.json", tmp_path / "none", tmp_path, ["pylon"], 10, 1)


@pytest.mark.skipif(not NIH.is_dir(), reason="needs the real radiographs of ../shared/nih")
def test_a_shipped_localiser_is_measured_in_both_ways(tmp_path):
    datalist = prepare("shared_nih", NIH, tmp_path / "nih14.json")
    tests = {name: items[:24] for name, items in scored_images(datalist, NIH).items()}
    calibration = load_datalist(datalist, "validation", NIH)[:8]
    runs = plan_runs(load_settings(EXPERIMENT, False, ()), tmp_path)
    (run,) = shipped(next(run for run in runs if run.name == "cam-seed0"))
    case = measure(run, calibration, tests, repeats=2)
    assert case["bundle"] == "cxr_gradcam_classification"
    assert case["megabytes"]["int8"] < 0.5 * case["megabytes"]["float32"]
    point = case["tests"]["boxes"]["figures"]["point"]["micro"]
    assert set(point["methods"]) == {"float32", "int8"} and set(point["difference"]) == {"int8"}
    with pytest.raises(InputError, match="does not ship"):
        bench_int8(tmp_path / "out.json", NIH, Path(tmp_path), ["single_stage"], 10, 1)


def test_the_table_shows_costs_beside_gains():
    def figure(a, b, d):
        whole = {"value": a, "low": a - 0.1, "high": a + 0.1}
        other = {"value": b, "low": b - 0.1, "high": b + 0.1}
        return {
            "methods": {"float32": whole, "int8": other},
            "difference": {"int8": {"value": d, "low": d - 0.01, "high": d + 0.01}},
        }

    case = {
        "bundle": "b",
        "megabytes": {"float32": 12.31, "int8": 4.1},
        "milliseconds": {"float32": 5.61, "int8": 2.8},
        "tests": {
            "boxes": {"n_images": 7, "figures": {"point": {"micro": figure(0.45, 0.43, -0.02)}}},
            "nih": {"n_images": 9, "figures": {"auroc": {"macro": figure(0.68, 0.67, -0.01)}}},
        },
    }
    record = {"cases": [case], "calibration": 5, "repeats": 3, "device": "CPU, 1 thread", "load_before": 0.1}
    text = int8_table({**record, "date": "2026-01-01", "versions": {"torch": "2.13"}})
    assert (
        "| b | 5.61 ms | 2.8 ms | 12.3 MB | 4.1 MB | .45 [.35, .55] | .43 [.33, .53] | -.020 [-.030, -.010] |" in text
    )
    assert "7 images with" in text and "9 others" in text
