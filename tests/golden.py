"""Golden numbers computed with published code, and the deterministic weights and images they were computed from.

tests/data/golden/README.md says what they are. Real radiographs are not in this repository: tests that need them look
in ``../shared`` beside it and skip where that is absent.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from tools.repository import REPOSITORY

GOLDEN = Path(__file__).resolve().parent / "data" / "golden"
SHARED = Path(os.environ.get("CXR_SHARED", REPOSITORY.parent / "shared"))
needs_radiographs = pytest.mark.skipif(
    not (SHARED / "cxr").is_dir(), reason="real radiographs (../shared) are not here"
)


def load(name: str) -> dict[str, np.ndarray]:
    """All arrays of one golden file. A large file lies in numbered parts, each with some of an array's first axis."""
    pieces: dict[str, list[np.ndarray]] = {}
    for path in sorted(GOLDEN.glob(f"{name}-[0-9].npz")) or [GOLDEN / f"{name}.npz"]:
        with np.load(path, allow_pickle=False) as file:
            for key, array in file.items():
                pieces.setdefault(key, []).append(array)
    return {key: arrays[0] if len(arrays) == 1 else np.concatenate(arrays) for key, arrays in pieces.items()}


def weights(case: str, seed: int, gain: float = 0.8) -> dict[str, torch.Tensor]:
    """The float64 state dict of a golden case, by the rules of the golden README."""
    entries = json.loads((GOLDEN / f"{case}_keys.json").read_text())
    return {e["name"]: _weight(e["name"], e["shape"], seed * 100000 + e["k"], gain) for e in entries}


def fill(network: torch.nn.Module, seed: int, gain: float = 0.8) -> None:
    """Give a float64 network the weights that the same rules make for its keys in their order."""
    state = network.state_dict()
    filled = {name: _weight(name, v.shape, seed * 100000 + k, gain) for k, (name, v) in enumerate(state.items())}
    network.load_state_dict(filled)


def _weight(name: str, shape: Sequence[int], seed: int, gain: float) -> torch.Tensor:
    last = name.rsplit(".", 1)[-1]
    if last == "num_batches_tracked":
        return torch.tensor(0)
    n = np.random.default_rng(seed).standard_normal(shape)
    if last == "weight" and len(shape) >= 2:
        value = n * gain * math.sqrt(2 / math.prod(shape[1:]))
    elif last == "weight":
        value = 1 + 0.1 * n
    elif last == "running_var":
        value = 1 + 0.2 * np.abs(n)
    else:
        value = 0.1 * n
    return torch.from_numpy(np.asarray(value))


def image(seed: int, b: int, c: int, h: int, w: int) -> torch.Tensor:
    """The deterministic picture (b, c, row, column) of a golden case, float64."""
    n = np.random.default_rng(seed * 100000 + 99999).standard_normal((b, c, h, w))
    bb, cc, i, j = np.meshgrid(np.arange(b), np.arange(c), np.arange(h), np.arange(w), indexing="ij")
    return torch.from_numpy(n + 2 * np.sin(2 * np.pi * (i / 37 + bb / 3)) * np.cos(2 * np.pi * j / 53 + cc))
