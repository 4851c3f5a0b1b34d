from __future__ import annotations

import json

import pytest

from tools.bench.__main__ import main
from tools.bench.scale import _drift, scale_text


@pytest.mark.slow
def test_a_killed_run_loses_nothing_and_does_nothing_twice(tmp_path, capsys):
    path = tmp_path / "scale.json"
    assert main(["scale", "--output", str(path), "--images", "300", "--side", "64", "--outputs", "json", "npz"]) == 0
    record = json.loads(path.read_text())
    assert 100 <= record["killed_at"] < 300
    assert (record["lost"], record["twice"], record["failures"]) == (0, 0, 0)
    assert sum(run["images"] for run in record["runs"]) >= 250
    assert scale_text(record) in capsys.readouterr().out


def test_drift_is_between_the_first_and_the_last_warm_part():
    samples = [(float(n), 10 * n, 100_000_000 + 50_000 * n) for n in range(1, 101)]
    drift = _drift(samples)
    assert drift["images"] == 990 and drift["seconds"] == 99
    assert drift["early_images_per_second"] == drift["late_images_per_second"] == 10
    assert drift["early_megabytes"] == pytest.approx(100.8, abs=0.1)
    assert drift["growth"] == pytest.approx(104.75 / 100.8 - 1, abs=1e-3)


def test_a_short_run_has_no_drift():
    assert "growth" not in _drift([(0.0, 1, 5), (1.0, 3, 5)])
