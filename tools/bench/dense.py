"""IRNet's random walk as published: the N x N transition matrix, squared. Our own code, from the formulas only.

It shares nothing with ``cxr_common.refinement``, so that it can be its oracle.
"""

from __future__ import annotations

import numpy as np
import torch


def dense_affinities(boundary: torch.Tensor, radius: int) -> torch.Tensor:
    """All affinities: 1 - max of the boundary over the path of two pixels nearer than the radius; else 0, to itself 1.

    Args:
        boundary: (X, Y) in [0, 1].
        radius: of the neighbourhood, in pixels.

    Returns:
        (N, N), N = X Y, of the boundary's dtype; pixel x, y has number x Y + y.
    """
    grid = boundary.numpy()
    width, height = grid.shape
    xs, ys = (a.ravel() for a in np.meshgrid(np.arange(width), np.arange(height), indexing="ij"))
    out = np.zeros((grid.size, grid.size), dtype=grid.dtype)
    out[np.arange(grid.size), np.arange(grid.size)] = 1
    for dx in range(1 - radius, radius):
        for dy in range(1 - radius, radius):
            if not 0 < dx * dx + dy * dy < radius * radius:
                continue
            cx, cy = _path(dx, dy)
            keep = (xs + dx >= 0) & (xs + dx < width) & (ys + dy >= 0) & (ys + dy < height)
            x, y = xs[keep], ys[keep]
            strongest = grid[x[:, None] + cx, y[:, None] + cy].max(axis=1)
            out[x * height + y, (x + dx) * height + y + dy] = 1 - strongest
    return torch.from_numpy(out)


def dense_random_walk(
    maps: torch.Tensor, boundary: torch.Tensor, radius: int = 5, beta: float = 10, squarings: int = 8
) -> torch.Tensor:
    """The walk of 2^squarings steps by repeated squaring.

    Args:
        maps: (C, X, Y).
        boundary: (X, Y) in [0, 1], of the maps' dtype.
        radius: of the neighbourhood, in pixels.
        beta: affinities are raised to it.
        squarings: 8 as published.

    Returns:
        (C, X, Y). In float32 call ``torch.set_flush_denormal(True)`` first: strong boundaries make denormals.
    """
    transition = dense_affinities(boundary, radius).pow_(beta)
    transition /= transition.sum(0)
    for _ in range(squarings):
        transition = transition @ transition
    return ((maps * (1 - boundary)).flatten(1) @ transition).view_as(maps)


def _path(dx: int, dy: int) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.meshgrid(np.arange(min(0, dx), max(0, dx) + 1), np.arange(min(0, dy), max(0, dy) + 1))
    near = (dy * x - dx * y) ** 2 / (dx**2 + dy**2) < 1
    return x[near], y[near]
