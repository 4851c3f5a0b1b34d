"""The random walk against the published dense form: time, memory and error by grid size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from tools.repository import REPOSITORY

Record = dict[str, Any]


def bench_walk(
    output: Path,
    threads: int = 2,
    sizes: tuple[int, ...] = (32, 64, 96, 128, 256, 512),
    dense_sizes: tuple[int, ...] = (32, 64, 96),
    extrapolate_to: int = 128,
    repeats: int = 5,
) -> Record:
    """Measure every method and size, each in a fresh process, one after another; write and return the record.

    Args:
        output: JSON file to write.
        threads: of every process.
        sizes: grid sides for our walk and its Chebyshev form.
        dense_sizes: those at which the dense walk runs too, once.
        extrapolate_to: the side at which the dense time is *derived*: that of the largest dense size, times the ratio
            of pixels cubed.
        repeats: of our walks; the time is their median.
    """
    settings = {
        "radius": 5,
        "beta": 10,
        "squarings": 8,
        "degree": 100,
        "channels": 2,
        "seed": 0,
        "threads": threads,
        "repeats": repeats,
    }
    load = os.getloadavg()[0]
    grids: list[Record] = []
    for size in sorted({*sizes, *dense_sizes}):
        methods = (["ours", "chebyshev"] if size in sizes else []) + (["dense"] if size in dense_sizes else [])
        grid: Record = {"size": size, "pixels": size * size}
        for method in methods:
            case = {"method": method, "size": size, "settings": settings}
            grid[method] = run_case("tools.bench.case", case, threads)
            print(f"{size} x {size} {method}: {grid[method]['seconds']:.3f} s", flush=True)
        grids.append(grid)
    torch.set_num_threads(threads)  # what provenance tells
    record = {
        "benchmark": "random_walk",
        "settings": settings,
        "load_before": load,
        "memory": "peak resident memory of the first call, less that before it, in a fresh process (Linux VmHWM)",
        "error": "largest difference to float64 over the largest float64 value (dense up to 32, else the stencil)",
        "grids": compare(grids, extrapolate_to),
        "scaling": scaling(grids),
        **provenance(),
    }
    write_json(record, output)
    return record


def compare(grids: list[Record], extrapolate_to: int) -> list[Record]:
    """Add the ratio of dense and our time where there is one, and the derived dense time at one size."""
    measured = [grid for grid in grids if "dense" in grid]
    out = []
    for grid in grids:
        grid = dict(grid)
        if grid["size"] == extrapolate_to and "dense" not in grid and measured:
            seconds = measured[-1]["dense"]["seconds"] * (grid["pixels"] / measured[-1]["pixels"]) ** 3
            grid["dense"] = {"seconds": seconds, "extrapolated_from": measured[-1]["size"]}
        if "dense" in grid and "ours" in grid:
            grid["ratio"] = grid["dense"]["seconds"] / grid["ours"]["seconds"]
        out.append(grid)
    return out


def scaling(grids: list[Record]) -> Record:
    """How our time grows with pixels.

    Returns:
        ``fixed_seconds`` and ``microseconds_per_pixel`` of the straight line of least relative squares, the largest
        ``relative_residual`` from it, and ``exponent``: the slope of log time over log pixels among the three largest
        grids, 1 for linear time.
    """
    ours = [(grid["pixels"], grid["ours"]["seconds"]) for grid in grids if "ours" in grid]
    if len(ours) < 3:
        return {}
    pixels, seconds = np.array(ours).T
    fixed, slope = np.linalg.lstsq(np.stack((1 / seconds, pixels / seconds), 1), np.ones(len(ours)), rcond=None)[0]
    return {
        "fixed_seconds": float(fixed),
        "microseconds_per_pixel": float(1e6 * slope),
        "relative_residual": float(np.abs((fixed + slope * pixels) / seconds - 1).max()),
        "exponent": float(np.polyfit(np.log(pixels[-3:]), np.log(seconds[-3:]), 1)[0]),
    }


def run_case(module: str, case: Record, threads: int) -> Record:
    """What a module prints as the last line of a fresh process, JSON, given a case and a number of threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-m", module, json.dumps(case)],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
