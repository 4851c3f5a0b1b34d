"""A random walk whose number of steps may differ from finding to finding."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from cxr_common.findings.walk import Walk
from cxr_common.refinement.random_walks import random_walk


def walk_maps(walk: Walk, maps: torch.Tensor, boundary: torch.Tensor, labels: Sequence[str]) -> torch.Tensor:
    """Spread maps as :func:`random_walk` does.

    Args:
        walk: its settings.
        maps: (N, C, X, Y).
        boundary: (N, 1, X, Y) in [0, 1].
        labels: C class names.

    Returns:
        (N, C, X, Y).
    """
    steps = torch.tensor(walk.steps_of(labels))
    out = torch.zeros_like(maps)
    for n in steps.unique().tolist():  # classes that go equally far walk together
        own = steps == n
        out[:, own] = random_walk(maps[:, own], boundary, radius=walk.radius, beta=walk.beta, steps=n)
    return out
