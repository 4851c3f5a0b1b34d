"""Masks from polygons, ellipses and rectangles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from cxr_common.axes import picture_to_tensor
from cxr_tools.prepare.mask_size import checked_size

Points = Sequence[Sequence[float]]


def polygons_mask(polygons: Sequence[Points], size: tuple[int, int]) -> np.ndarray:
    """The union of filled polygons.

    Args:
        polygons: corners (x, y) each, in pixels; the outline is inside.
        size: (width, height) of the image.

    Returns:
        bool (width, height).

    Raises:
        ValueError: a polygon has fewer than three corners, or leaves the image by more than a pixel, for files round.

    Example:
        >>> int(polygons_mask([[(1, 1), (3, 1), (3, 2), (1, 2)]], (5, 4)).sum())
        6
    """
    picture = Image.new("1", checked_size((size[0], size[1])))
    draw = ImageDraw.Draw(picture)
    for points in polygons:
        corners = [(float(x), float(y)) for x, y in points]
        if len(corners) < 3:
            raise ValueError(f"a polygon of {len(corners)} points encloses nothing")
        if outside := [c for c in corners if not (-1 <= c[0] <= size[0] + 1 and -1 <= c[1] <= size[1] + 1)]:
            raise ValueError(f"the point {outside[0]} lies outside the image of {size[0]} x {size[1]} pixels")
        draw.polygon(corners, fill=1, outline=1)
    return picture_to_tensor(np.asarray(picture))


def ellipse_points(x0: float, y0: float, x1: float, y1: float, count: int = 72) -> list[tuple[float, float]]:
    """Corners of a polygon along the ellipse in a box."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    x = (x0 + x1) / 2 + (x1 - x0) / 2 * np.cos(angles)
    y = (y0 + y1) / 2 + (y1 - y0) / 2 * np.sin(angles)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def points_box(points: Points) -> list[float]:
    """The box (x0, y0, x1, y1) around points."""
    x, y = [float(p[0]) for p in points], [float(p[1]) for p in points]
    return [min(x), min(y), max(x), max(y)]
