"""What the network gives for an input as metadata describes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from . import describe
from .model import build_network, make_input, spatial_sizes

# (n, size of "*"): the first is what the zoo's CI takes.
SIZES = ((1, 1), (1, 64), (2, 64), (4, 128))


def probe(root: Path, config: str, image: dict[str, Any], pred: dict[str, Any], weights: str | None) -> dict[str, Any]:
    """Run the network at the smallest input that it takes.

    Returns:
        `shape`, `dtype` and `finite` of its tensor or the `kind` of anything else; `expected`: metadata's sizes of
        the output there, None where they follow from nothing; `input`: its shape; `refused`: why smaller inputs were
        not taken.
    """
    network = build_network(root, config, weights)
    refused: list[str] = []
    seen = set()
    for n, any_size in SIZES:
        x = make_input(image, n, any_size)
        if x.shape in seen:
            continue
        seen.add(x.shape)
        try:
            with torch.no_grad():
                output = network(x)
        except Exception as error:
            refused.append(f"{tuple(x.shape)}: {describe(error)}")
            continue
        answer: dict[str, Any] = {"input": list(x.shape), "refused": refused, "kind": type(output).__name__}
        if isinstance(output, torch.Tensor):
            free = any(s == "*" for s in [*image["spatial_shape"], *pred["spatial_shape"]])
            answer |= {
                "shape": list(output.shape),
                "dtype": str(output.dtype).removeprefix("torch."),
                "finite": bool(torch.isfinite(output).all()) if output.is_floating_point() else True,
                "expected": None if free else list(spatial_sizes(pred["spatial_shape"], n, any_size)),
            }
        return answer
    raise ValueError("; ".join(refused))
