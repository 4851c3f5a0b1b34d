"""Affinity of two pixels: one minus the strongest boundary on the path between them (IRNet, arXiv 1904.05044).

Paths are never materialised: the maximum over each is a running maximum over shifted views of the boundary map.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from cxr_common.refinement.paths import Cell, half_plane_offsets, path_cells


def shifted(field: torch.Tensor, cell: Cell, radius: int) -> torch.Tensor:
    """What lies at one offset from every *interior source*, a pixel with all half-plane neighbours in the grid.

    Args:
        field: (..., X, Y).
        cell: (dx, dy) with |dx| < radius and 0 <= dy < radius.
        radius: of the neighbourhood, in pixels; sources are radius - 1 <= x <= X - radius and 0 <= y <= Y - radius.

    Returns:
        (..., X - 2 (radius - 1), Y - (radius - 1)), a view; the sources themselves for cell (0, 0).
    """
    reach = radius - 1
    width, height = field.shape[-2] - 2 * reach, field.shape[-1] - reach
    if width < 1 or height < 1:
        raise ValueError(f"a {field.shape[-2]} x {field.shape[-1]} grid has no interior source for radius {radius}")
    return field.narrow(-2, reach + cell[0], width).narrow(-1, cell[1], height)


def pad_outside(boundary: torch.Tensor, radius: int, value: float = 1.0) -> torch.Tensor:
    """Surround a grid so that all its pixels become interior sources.

    Args:
        boundary: (N, C, X, Y).
        radius: of the neighbourhood, in pixels.
        value: of the cells outside.

    Returns:
        (N, C, X + 2 (radius - 1), Y + (radius - 1)).
    """
    reach = radius - 1
    return F.pad(boundary, (0, reach, reach, reach), value=value)


@torch.no_grad()
def fill_path_maxima(planes: torch.Tensor, boundary: torch.Tensor, radius: int) -> None:
    """Write the path maxima of interior sources into given planes, without other memory.

    Args:
        planes: (N, number of offsets, X - 2 (radius - 1), Y - (radius - 1)), of any strides; overwritten.
        boundary: (N, 1, X, Y).
        radius: of the neighbourhood, in pixels.
    """
    for index, offset in enumerate(half_plane_offsets(radius)):
        plane = planes[:, index]
        first, *others = path_cells(offset)
        plane.copy_(shifted(boundary[:, 0], first, radius))
        for cell in others:
            torch.maximum(plane, shifted(boundary[:, 0], cell, radius), out=plane)


class _InteriorMaxima(torch.autograd.Function):
    """Path maxima of interior sources; the gradient goes to the first cell of the path that has the maximum.

    Autograd through the running maxima would keep two tensors a path cell, gigabytes for radius 10. This keeps the
    result only, and finds the cells again in the backward pass.
    """

    @staticmethod
    def forward(ctx: Any, boundary: torch.Tensor, radius: int) -> torch.Tensor:
        size = shifted(boundary, (0, 0), radius).shape[-2:]
        planes = boundary.new_empty((boundary.shape[0], len(half_plane_offsets(radius)), *size))
        fill_path_maxima(planes, boundary, radius)
        ctx.save_for_backward(boundary, planes)
        ctx.radius = radius
        return planes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        boundary, planes = ctx.saved_tensors
        out = torch.zeros_like(boundary)
        left, share = torch.empty_like(planes[:, 0]), torch.empty_like(planes[:, 0])
        for index, offset in enumerate(half_plane_offsets(ctx.radius)):
            left.copy_(grad[:, index])
            for cell in path_cells(offset):
                torch.eq(shifted(boundary[:, 0], cell, ctx.radius), planes[:, index], out=share)
                share.mul_(left)
                shifted(out[:, 0], cell, ctx.radius).add_(share)
                left.sub_(share)
        return out, None


def path_maxima(boundary: torch.Tensor, radius: int) -> torch.Tensor:
    """The strongest boundary on the path from every pixel to each of its half-plane neighbours.

    Args:
        boundary: (N, 1, X, Y) in [0, 1]; differentiable.
        radius: of the neighbourhood, in pixels.

    Returns:
        (N, number of offsets, X, Y), offsets as :func:`half_plane_offsets` orders them, indexed by the source; 1 where
        the neighbour is outside the grid. A path between two pixels of the grid never leaves it.
    """
    check_boundary(boundary)
    half_plane_offsets(radius)
    return _InteriorMaxima.apply(pad_outside(boundary, radius), radius)


def affinities(boundary: torch.Tensor, radius: int) -> torch.Tensor:
    """Affinities of the pairs that IRNet trains on: those of interior sources.

    Args:
        boundary: (N, 1, X, Y) in [0, 1], X >= 2 radius - 1, Y >= radius; differentiable.
        radius: of the neighbourhood, in pixels; 10 as published for training.

    Returns:
        (N, number of offsets, X - 2 (radius - 1), Y - (radius - 1)) in [0, 1]; :func:`shifted` gives other fields at
        either end of the same pairs.

    Raises:
        ValueError: when the shape is another or the grid has no interior source.
    """
    check_boundary(boundary)
    return 1 - _InteriorMaxima.apply(boundary, radius)


def check_boundary(boundary: torch.Tensor) -> None:
    """Refuse what is not (N, 1, X, Y) of a floating dtype."""
    if boundary.ndim != 4 or boundary.shape[1] != 1 or not boundary.is_floating_point():
        raise ValueError(f"boundary must be floating (N, 1, X, Y), not {boundary.dtype} {tuple(boundary.shape)}")
