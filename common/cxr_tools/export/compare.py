"""Whether a file gives what the bundle gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch.nn import functional as F


def sample_images(
    size: Sequence[int], multiple: int, mean: float, std: float, any_size: bool
) -> Iterator[torch.Tensor]:
    """Smooth random pictures as a network's input: one and three of the usual size, then other sizes.

    Args:
        size: X, Y of the usual input.
        multiple: that sides must be of.
        mean: taken off the grey values.
        std: that they are divided by.
        any_size: whether other sizes than the usual one are wanted.

    Yields:
        (N, 1, X, Y) float32.
    """
    x, y = size
    shapes = [(1, x, y), (3, x, y)]
    if any_size:
        shapes += [(2, x + multiple, y), (1, x, y + 2 * multiple)]
    generator = torch.Generator().manual_seed(0)
    for n, width, height in shapes:
        coarse = torch.rand(n, 1, max(2, width // 16), max(2, height // 16), generator=generator)
        grey = F.interpolate(coarse, (width, height), mode="bicubic").clamp(0, 1)
        yield (grey - mean) / std


def difference(name: str, found: torch.Tensor, expected: torch.Tensor, side: int) -> float:
    """The largest difference of an output; infinity where shapes differ or a value is not finite.

    Args:
        name: of the output.
        found: of the file.
        expected: of the bundle.
        side: of the image; corners of boxes are compared in its parts.
    """
    if found.shape != expected.shape or not bool(torch.isfinite(found).all()):
        return float("inf")
    if name != "detections":
        return float((found - expected).abs().max())
    scale = torch.tensor([1 / side] * 4 + [1, 1])
    return max(_farthest(f * scale, e * scale) for f, e in zip(found, expected, strict=True))


def _farthest(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest distance of a row to the nearest one of the other: equal scores have no order."""
    distances = (found[:, None] - expected).abs().amax(-1)
    return float(torch.maximum(distances.amin(0).max(), distances.amin(1).max()))
