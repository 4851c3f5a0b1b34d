"""Which pixels IRNet relates to each other, and the path of pixels between two of them (arXiv 1904.05044).

Offsets and cells are (dx, dy), in the order of a tensor's axes. They are *ordered* as the published picture order has
them, by row and then column: lexicographically by (dy, dx).
"""

from __future__ import annotations

from functools import lru_cache

Cell = tuple[int, int]


@lru_cache(maxsize=16)
def half_plane_offsets(radius: int) -> tuple[Cell, ...]:
    """Offsets to the neighbours strictly nearer than a radius, one of each opposite pair.

    Args:
        radius: in pixels, at least 2; a neighbour has dx^2 + dy^2 < radius^2.

    Returns:
        The (dx, dy) with dy > 0, or dy = 0 and dx > 0: 34 for radius 5, 152 for radius 10.

    Raises:
        ValueError: when the radius is below 2, so that nothing has a neighbour in every direction.

    Example:
        >>> half_plane_offsets(2)
        ((1, 0), (-1, 1), (0, 1), (1, 1))
    """
    if radius < 2:
        raise ValueError(f"radius must be at least 2 pixels, not {radius}")
    reach = range(1 - radius, radius)
    pairs = [(dx, dy) for dy in range(radius) for dx in reach if (dy, dx) > (0, 0)]
    return tuple((dx, dy) for dx, dy in pairs if dx * dx + dy * dy < radius * radius)


@lru_cache(maxsize=1024)
def path_cells(offset: Cell) -> tuple[Cell, ...]:
    """The cells between a pixel at (0, 0) and its neighbour, both included.

    Args:
        offset: (dx, dy) of the neighbour.

    Returns:
        Every cell of the box that the two span whose centre is less than one pixel from the line through them: wide
        enough that no path passes between two pixels that touch at a corner.

    Example:
        >>> path_cells((2, 0))
        ((0, 0), (1, 0), (2, 0))
    """
    dx, dy = offset
    box = [(x, y) for y in range(min(0, dy), max(0, dy) + 1) for x in range(min(0, dx), max(0, dx) + 1)]
    return tuple((x, y) for x, y in box if (dy * x - dx * y) ** 2 < dx * dx + dy * dy)
