from __future__ import annotations

import json

import pydicom
import pytest

from cxr_common.data import read_picture
from tools.bench.__main__ import main
from tools.bench.images import make_inputs
from tools.bench.inference import WAYS, measure
from tools.bench.tables import inference_table

KIND = "512 x 512 PNG"


def record_of(load_after=1.0):
    case = {"bundle": "b", "kind": KIND, "batch": 1, "cpu_ms": dict.fromkeys(WAYS, 20.0), "megabytes": 900.0}
    start = {"bundle": "b", "import_s": 4.0, "first_s": 5.0, "ratio": 1.25}
    record = {"cases": [case | {"ratio": dict.fromkeys(WAYS, 1.5)}], "starts": [start], "repeats": 3}
    return record | {"date": "2026", "load_before": 1.0, "load_after": load_after, "versions": {"torch": "2"}}


def test_the_table_says_where_other_work_began_meanwhile():
    assert "1.50x" in inference_table(record_of()) and "1.25x" in inference_table(record_of())
    assert "Void" not in inference_table(record_of())
    assert "Void" in inference_table(record_of(load_after=3))


def test_the_table_counts_what_misses_a_goal():
    text = inference_table(record_of())
    assert "`[json]`: 1.50 to 1.50, goal at most 1.15, missed in 1 of 1 rows" in text
    assert "default outputs: 1.50 to 1.50, goal at most 2, missed in 0 of 1 rows" in text
    assert "the first result: 1.25 to 1.25, goal at most 1.5, missed in 0 of 1 rows" in text


@pytest.mark.slow
def test_a_run_costs_more_than_the_network(tmp_path, capsys):
    path = tmp_path / "bench.json"
    options = ["--bundles", "cxr_pylon_localization", "--kinds", KIND, "--images", "2", "--repeats", "1"]
    assert main(["inference", "--output", str(path), *options, "--batches", "2"]) == 0
    record = json.loads(path.read_text())
    (case,), (start,) = record["cases"], record["starts"]
    assert (case["bundle"], case["kind"], case["batch"], case["count"]) == (options[1], KIND, 2, 2)
    times = case["cpu_ms"]
    assert times.keys() == case["ratio"].keys() == {"forward", "read", "json", "default"}
    assert case["ratio"]["default"] == pytest.approx(times["default"] / times["read"])
    assert times["default"] > times["forward"] > 0 and times["json"] > 0
    assert start["first_s"] > start["import_s"] > 0
    assert inference_table(record) in capsys.readouterr().out


@pytest.mark.slow
def test_the_job_is_done_by_hand_with_every_library(tmp_path):
    images = make_inputs(tmp_path, 64, 64, False, 1)
    found = measure("cxr_pylon_localization", str(images), batch=1, repeats=1, beside=True)
    assert found["cpu_ms"].keys() == WAYS.keys() and min(found["cpu_ms"].values()) > 0


def test_inputs_are_radiographs_of_their_size(tmp_path):
    (png,) = make_inputs(tmp_path / "a", 64, 64, False, 1).iterdir()
    (dicom,) = make_inputs(tmp_path / "b", 90, 120, True, 1).iterdir()
    assert read_picture(png).shape == (64, 64)
    assert read_picture(dicom).shape == (90, 120)
    assert pydicom.dcmread(dicom).pixel_array.shape == (120, 90)
