from __future__ import annotations

import json

import pytest

from tools.bench.archive_tables import ASSUMED, archive_table, efficiency, scale_table

STEP = {"read_ms": 60.0, "network_ms": 30.0, "find_ms": 10.0, "images": 40}
RECORD = {
    "bundle": "b",
    "cores": 4,
    "steps": {"small": STEP, "large": {**STEP, "read_ms": 160.0}},
    "runs": [{"images": 100, "seconds": 20.0}, {"images": 400, "seconds": 35.0}],
    "images_per_second": 20.0,
    "books": {"name_bytes": 250.0, "row_ms": 0.1, "row_bytes": 500.0},
    "file_bytes": {"npz": 20_000.0},
    "assumed": {**ASSUMED, "images_per_study": 2.0, "core_hour": 0.1},
    "date": "2026-01-01",
    "device": "CPU",
    "load_before": 0.1,
    "load_after": 0.1,
    "versions": {"torch": "2"},
}


def test_efficiency_is_of_what_the_cores_could_do():
    assert efficiency(RECORD) == pytest.approx(0.5)  # 100 ms on 4 cores: 40 images/s


def test_estimates_follow_from_the_figures():
    text = scale_table(RECORD)
    # 2 x 10 million images x 100 ms / 50% = 1111.1 hours of a core, at $0.1
    assert "| 10 million studies | small | 5.8 days | 17.4 h | 2.2 h | $111 |" in text
    assert "| NIH ChestX-ray14, 112,120 images | large | 1.6 h | 12 min | 1 min | $1 |" in text
    assert "| rows (Parquet) | 10.0 GB | – | $0 |" in text and "| npz | 400.0 GB | 40.0 GB | $8 |" in text
    assert "5.0 GB for the names" in text and "at most 10,000 images/s" in text
    assert "small: 12.2 h on 64 cores" in text  # 70 of 100 ms


def test_the_table_has_what_was_measured():
    text = archive_table(RECORD)
    assert "| small | 60.0 ms | 30.0 ms | 10.0 ms | 100.0 ms |" in text
    assert "20.0 images/s on 4 cores, which is 50%" in text and "npz 20 kB" in text


@pytest.mark.ray
def test_a_small_benchmark(tmp_path, capsys):
    pytest.importorskip("ray", reason="needs the extra ray")
    from tools.bench.__main__ import main

    path = tmp_path / "archive.json"
    options = ["--counts", "2", "1", "--images", "40", "--repeats", "1", "--core-hour", "0.5"]
    assert main(["archive", "--output", str(path), *options]) == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    # A few images are too quick to say images per second: beside other work even the larger run may take less.
    assert record["assumed"]["core_hour"] == 0.5 and all(run["seconds"] > 0 for run in record["runs"])
    assert all(step["read_ms"] > 0 for step in record["steps"].values())
    assert all(size > 0 for size in record["file_bytes"].values())
    assert scale_table(record) in capsys.readouterr().out
