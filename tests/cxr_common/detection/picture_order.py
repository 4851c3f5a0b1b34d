"""Golden arrays list a level's cells row by row; our maps have x vary slowest."""

from __future__ import annotations

import torch

from cxr_common.detection import AnchorGrid


def from_picture_order(values: torch.Tensor, grid: AnchorGrid, size: tuple[int, int]) -> torch.Tensor:
    """Reorder (N, A, K) of a picture X wide and Y high from (level, y, x, anchor) to (level, x, y, anchor)."""
    parts = []
    for part, (x, y) in zip(values.split(grid.counts(size), 1), grid.shapes(size)):
        parts.append(part.unflatten(1, (y, x, grid.per_cell)).transpose(1, 2).flatten(1, 3))
    return torch.cat(parts, 1)
