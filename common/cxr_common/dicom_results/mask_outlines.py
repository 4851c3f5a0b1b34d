"""The outlines of a mask as polygons that DICOM can hold."""

from __future__ import annotations

import numpy as np

from cxr_common.extras import needed

#: An element holds 65,534 bytes in explicit VR: 8,191 points of two FL values each.
MOST_POINTS = 8000


def outlines(mask: np.ndarray) -> list[np.ndarray]:
    """Trace the edges of a mask.

    Args:
        mask: bool (rows, columns).

    Returns:
        Closed polygons (n, 2) of x, y from the top left corner of the picture, which run through the middle between
        pixels inside and outside; holes have polygons of their own. Each has at most :data:`MOST_POINTS` points.

    Raises:
        InputError: scikit-image is not installed.

    Example:
        >>> [polygon.min(0).tolist() + polygon.max(0).tolist() for polygon in outlines(np.eye(3, dtype=bool)[:1])]
        [[0.0, 0.0, 1.0, 1.0]]
    """
    measure = needed("skimage.measure", "scikit-image", "tracing outlines")
    rows, columns = mask.shape
    polygons = []
    # Pixel (0, 0) of the padded mask has its centre at (-0.5, -0.5) of the picture.
    for contour in measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5):
        tolerance = 0.25
        polygon = measure.approximate_polygon(contour, tolerance)
        while len(polygon) > MOST_POINTS:
            tolerance *= 2
            polygon = measure.approximate_polygon(contour, tolerance)
        polygons.append(np.clip(polygon[:, ::-1] - 0.5, 0, (columns, rows)))
    return polygons
