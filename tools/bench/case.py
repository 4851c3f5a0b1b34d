"""One method at one grid size, in a process of its own: ``python -m tools.bench.case '{"method": ..., "size": ...}'``.

Prints one line of JSON. Timing excludes imports and a tiny warm-up. Extra memory is the kernel's own account (Linux):
the peak of resident memory, reset before the first timed call, less resident memory at that time; so it counts what
the call allocates, its result included, and not the inputs.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional as F

from cxr_common.refinement import random_walk
from tools.bench.dense import dense_random_walk
from tools.bench.memory import reset_peak, resident_peak

Walk = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def make_case(size: int, channels: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smooth maps and a boundary map with regions, walls and all between, float32.

    Returns:
        maps (1, channels, size, size) in [0, 1] and boundary (1, 1, size, size) in [0, 1].
    """
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randn((1, channels + 1, size // 8 + 2, size // 8 + 2), generator=generator)
    fine = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False)
    # Walls along the zero lines of a smooth field, as outlines are.
    return torch.sigmoid(3 * fine[:, 1:]), torch.exp(-((6 * fine[:, :1]) ** 2))


def walk_of(method: str, settings: dict[str, Any]) -> Walk:
    """The function to time: ``ours``, ``chebyshev`` or ``dense``; takes (1, C, X, Y) and (1, 1, X, Y)."""
    radius, beta, squarings = settings["radius"], settings["beta"], settings["squarings"]
    if method == "dense":
        return lambda maps, boundary: dense_random_walk(maps[0], boundary[0, 0], radius, beta, squarings)[None]
    degree = settings["degree"] if method == "chebyshev" else None
    return lambda maps, boundary: random_walk(maps, boundary, radius, beta, 2**squarings, degree)


def reference(maps: torch.Tensor, boundary: torch.Tensor, settings: dict[str, Any]) -> torch.Tensor:
    """The result in float64: dense up to 32 x 32, beyond by our stencil, which agrees with dense to 1e-12."""
    method = "dense" if max(boundary.shape) <= 32 else "ours"
    return walk_of(method, settings)(maps.double(), boundary.double())


def measure(method: str, size: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Time, extra memory and error of one method at one grid size."""
    torch.set_num_threads(settings["threads"])
    # Before any worker thread starts, so that they have it too: with denormals the dense walk may take minutes.
    torch.set_flush_denormal(method == "dense")
    walk = walk_of(method, settings)
    walk(*make_case(12, settings["channels"], settings["seed"]))
    maps, boundary = make_case(size, settings["channels"], settings["seed"])
    before = reset_peak()
    seconds, out = [], maps
    for repeat in range(1 if method == "dense" else settings["repeats"]):
        start = time.perf_counter()
        out = walk(maps, boundary)
        seconds.append(time.perf_counter() - start)
        if repeat == 0:
            extra = resident_peak() - before
    exact = reference(maps, boundary, settings)
    return {
        "seconds": statistics.median(seconds),
        "all_seconds": seconds,
        "extra_megabytes": extra / 1e6,
        "relative_error": ((out - exact).abs().max() / exact.abs().max()).item(),
    }


if __name__ == "__main__":
    print(json.dumps(measure(**json.loads(sys.argv[1]))))
