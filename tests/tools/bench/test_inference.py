from __future__ import annotations

import json

import pytest

from tools.bench.__main__ import main
from tools.bench.tables import inference_table


def test_a_run_costs_more_than_reading_and_network(tmp_path, capsys):
    path = tmp_path / "bench.json"
    options = ["--bundles", "cxr_pylon_localization", "--sizes", "64", "--images", "2", "--repeats", "1"]
    assert main(["inference", "--output", str(path), *options]) == 0
    record = json.loads(path.read_text())
    (case,) = record["cases"]
    assert (case["bundle"], case["size"], case["images"]) == ("cxr_pylon_localization", 64, 2)
    assert case["ratio"] == pytest.approx(case["run_ms"] / case["alone_ms"])
    assert case["run_ms"] > case["alone_ms"] > 0 and case["start_ms"] > case["run_ms"]
    assert inference_table(record) in capsys.readouterr().out
