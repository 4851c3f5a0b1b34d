from __future__ import annotations

import json

import pytest
import torch

from cxr_common.refinement import half_plane_offsets, path_maxima
from tools.bench.__main__ import main
from tools.bench.case import make_case
from tools.bench.dense import dense_affinities
from tools.bench.tables import table
from tools.bench.walk import compare, scaling


def _grid(size, ours, dense=None):
    grid = {"size": size, "pixels": size * size, "ours": {"seconds": ours}}
    return grid | ({"dense": {"seconds": dense}} if dense else {})


def test_a_tiny_benchmark_runs_and_is_written(tmp_path, capsys):
    path = tmp_path / "bench.json"
    arguments = ["--sizes", "16", "--dense-sizes", "12", "--extrapolate-to", "16", "--repeats", "1"]
    assert main(["random_walk", "--output", str(path), "--threads", "1", *arguments]) == 0
    record = json.loads(path.read_text())
    assert [grid["size"] for grid in record["grids"]] == [12, 16]
    assert record["settings"]["threads"] == 1 and "torch" in record["versions"]
    small, large = record["grids"]
    assert large["ours"]["relative_error"] < 2e-6 and small["dense"]["relative_error"] < 1e-3
    assert large["ours"]["extra_megabytes"] >= 0
    assert large["dense"]["extrapolated_from"] == 12
    assert table(record) in capsys.readouterr().out


def test_ratio_and_derived_time():
    measured, missing, far = compare([_grid(32, 0.1, 0.4), _grid(64, 0.2), _grid(128, 0.5)], 64)
    assert measured["ratio"] == pytest.approx(4)
    assert missing["dense"] == {"seconds": pytest.approx(0.4 * 64), "extrapolated_from": 32}
    assert missing["ratio"] == pytest.approx(128)
    assert "dense" not in far and "ratio" not in far


def test_scaling_of_a_straight_line():
    found = scaling([_grid(size, 0.1 + 3e-6 * size * size) for size in (32, 64, 128, 1024, 2048, 4096)])
    assert found["fixed_seconds"] == pytest.approx(0.1)
    assert found["microseconds_per_pixel"] == pytest.approx(3)
    assert found["relative_residual"] < 1e-9
    assert found["exponent"] == pytest.approx(1, abs=0.02)
    assert scaling([_grid(32, 0.1)]) == {}


def test_cases_are_the_same_for_the_same_seed_and_have_all_kinds_of_boundary():
    maps, boundary = make_case(64, 2, 0)
    assert maps.shape == (1, 2, 64, 64) and boundary.shape == (1, 1, 64, 64)
    assert torch.equal(boundary, make_case(64, 2, 0)[1])
    assert boundary.min() < 1e-3 and boundary.max() > 0.99 and boundary.max() <= 1


def test_dense_affinities_are_symmetric_and_agree_with_the_planes():
    boundary = torch.rand((6, 8), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    dense = dense_affinities(boundary, 4)
    assert torch.equal(dense, dense.mT) and (dense.diagonal() == 1).all()
    planes = 1 - path_maxima(boundary[None, None], 4)[0]
    for index, (dx, dy) in enumerate(half_plane_offsets(4)):
        for x, y in ((3, 0), (5, 7), (0, 2)):
            inside = 0 <= x + dx < 6 and 0 <= y + dy < 8
            expected = dense[x * 8 + y, (x + dx) * 8 + y + dy] if inside else 0
            assert planes[index, x, y] == expected
