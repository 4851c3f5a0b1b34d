"""A random walk whose number of steps may differ from finding to finding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from cxr_common.data.chest import inside_gate
from cxr_common.findings.walk import Walk
from cxr_common.refinement.random_walks import random_walk

#: When a lung gate acts: before or after the walk.
When = Literal["before", "after"]


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


def walk_inside(
    walk: Walk,
    maps: torch.Tensor,
    boundary: torch.Tensor,
    labels: Sequence[str],
    gate: torch.Tensor | None,
    gated: When | None,
) -> torch.Tensor:
    """Spread the maps of one image as :func:`walk_maps` does, with a lung gate before or after.

    Args:
        walk: see there, as for maps (1, C, X, Y), boundary and labels.
        maps: see there.
        boundary: see there.
        labels: see there.
        gate: (5,), outside of what maps become 0, see :func:`~cxr_common.data.chest.inside_gate`.
        gated: which maps; None: neither.

    Returns:
        (1, C, X, Y).
    """
    if gate is None or gated is None:
        return walk_maps(walk, maps, boundary, labels)
    width, height = maps.shape[-2:]
    inside = inside_gate(gate, labels, (width, height)).to(maps.device)
    if gated == "before":
        return walk_maps(walk, maps * inside, boundary, labels)
    return walk_maps(walk, maps, boundary, labels) * inside
