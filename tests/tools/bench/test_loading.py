from __future__ import annotations

import json

import numpy as np
import pytest

from tools.bench import loading
from tools.bench.__main__ import main
from tools.bench.memory import PeakMemory
from tools.bench.tables import loading_table


@pytest.mark.slow
def test_every_cache_is_measured(tmp_path, capsys):
    path = tmp_path / "bench.json"
    options = ["--images", "40", "--side", "64", "--timed", "32", "--steps", "1", "--workers", "1"]
    assert main(["loading", "--output", str(path), *options]) == 0
    record = json.loads(path.read_text(encoding="utf-8"))
    cases = {case["cache"]: case for case in record["cases"]}
    assert list(cases) == list(loading.CACHES) and list(tmp_path.iterdir()) == [path]
    for name, case in cases.items():
        kinds = {"reading", "loading", "training"} | (set() if name == "none" else {"filling"})
        assert case["cost"].keys() == kinds and all(cost["cpu_ms"] > 0 for cost in case["cost"].values())
        assert case["loading_megabytes"] > 50
    # 256 x 256 pixels of 1, 2 and 4 bytes.
    sizes = {"none": 0, "packed, uint8": 1, "packed, float16": 2, "persistent": 4}
    for name, size in sizes.items():
        assert cases[name]["disk_megabytes"] == pytest.approx(40 * size * 0.0656, rel=0.1)
    assert loading_table(record) in capsys.readouterr().out


def test_peak_memory_is_that_of_the_largest_moment():
    with PeakMemory() as peak:
        while not peak.megabytes():
            pass
        before = peak.megabytes()
        held = np.ones(10_000_000)
        while peak.megabytes() < before + 70:
            pass
        del held
        assert peak.megabytes() < before + 300
