from __future__ import annotations

import json

import pytest

from tools.bench.__main__ import main
from tools.bench.runtimes import bench_runtimes, measure
from tools.bench.tables import runtimes_table


@pytest.fixture(scope="module")
def case():
    return measure("cxr_gradcam_classification", side=None, threads=1, repeats=2)


def test_all_runtimes_give_the_same(case):
    assert {"eager", "channels_last", "bfloat16", "torchscript", "onnxruntime"} <= set(case["milliseconds"])
    assert all(value > 0 for value in case["milliseconds"].values())
    assert all(off <= 1e-4 for name, off in case["difference"].items() if name != "bfloat16")
    assert case["size"] == [128, 128] and "onnxruntime" in case["runtime_versions"]


def test_the_command_writes_its_record_and_prints_its_table(case, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tools.bench.runtimes.run_case", lambda *_: case)
    path = tmp_path / "bench.json"
    arguments = ["--bundles", "cxr_gradcam_classification", "--repeats", "2", "--output", str(path)]
    assert main(["runtimes", *arguments]) == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["cases"][0] == {"bundle": "cxr_gradcam_classification", **case} and record["load_before"] >= 0
    assert len(record["cases"]) == 4  # its own size and three others
    assert runtimes_table(record) in capsys.readouterr().out


def test_a_bundles_own_size_is_measured_once(case, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("tools.bench.runtimes.run_case", lambda _, given, threads: asked.append(given) or case)
    bench_runtimes(tmp_path / "bench.json", ("cxr_gradcam_classification",), (128, 512), repeats=40)
    assert [(given["side"], given["repeats"]) for given in asked] == [(None, 40), (512, 4)]


def test_the_fastest_is_marked_and_what_is_missing_is_a_dash():
    times = [{"eager": 9.0, "onnxruntime": 4.0}, {"eager": 3.0, "onnxruntime": 6.0, "openvino": 5.0}]
    cases = [
        {"bundle": f"b{i}", "size": [128, 128], "milliseconds": t, "difference": {"eager": 0, "onnxruntime": 2e-5}}
        | {"runtime_versions": {"onnxruntime": "1.0"}}
        for i, t in enumerate(times)
    ]
    record = {"repeats": 5, "device": "CPU, 1 thread", "date": "2026-01-01", "load_before": 0.1, "cases": cases}
    text = runtimes_table({**record, "versions": {"torch": "2.13"}})
    assert "| b0 | 128 x 128 | 9 ms | **4 ms** | – |" in text
    assert "| b1 | 128 x 128 | **3 ms** | 6 ms | 5 ms |" in text
    assert "at most 2e-05" in text and "torch 2.13, onnxruntime 1.0" in text
