"""Instances from displacement fields: where every pixel is led, and which pixels are led to the same place.

Ahn, Cho & Kwak, CVPR 2019 (arXiv 1904.05044), section 4.2; its (row, column) channels are x, y here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from cxr_common.axes import picture_to_tensor, tensor_to_picture
from cxr_common.extras import needed


def find_centroids(displacement: ArrayLike, iterations: int = 300) -> NDArray[np.int64]:
    """Follow a displacement field from every pixel: c <- c + d(c), d bilinear, c kept inside the grid.

    Args:
        displacement: (2, X, Y) towards the instance's centre, x then y, in cells.
        iterations: of the update; it ends sooner when nothing moves any more.

    Returns:
        (2, X, Y) x and y of the cell each pixel ends in, rounded half to even.

    Raises:
        ValueError: when the shape is another, the grid is empty or a displacement is not finite.
    """
    d = _field(displacement)
    last = np.array(d.shape[1:], dtype=np.float64)[:, None] - 1
    padded = np.pad(d, ((0, 0), (0, 1), (0, 1)))  # what a point on the last row or column weighs with 0
    steps = padded[0] + 1j * padded[1]  # one look-up for both components
    c = np.indices(d.shape[1:], dtype=np.float64).reshape(2, -1)
    moving = np.arange(c.shape[1])
    for _ in range(iterations):
        old = c[:, moving]
        c[:, moving] = np.clip(old + _bilinear(steps, old), 0, last)
        moving = moving[(c[:, moving] != old).any(0)]
        if len(moving) == 0:
            break
    return np.rint(c).astype(np.int64).reshape(d.shape)


def cluster_instances(
    displacement: ArrayLike, centroids: ArrayLike, max_length: float = 2.5, min_fraction: float = 0.0
) -> NDArray[np.int64]:
    """Give pixels that are led to the same centre the same number.

    Centres are the 4-connected regions where the displacement is shorter than max_length; an instance is all pixels
    whose centroid lies in the same one.

    Args:
        displacement: (2, X, Y) as :func:`find_centroids` takes it.
        centroids: (2, X, Y) as it returns them.
        max_length: in cells; the published value is for a stride of 4.
        min_fraction: drop fragments that are smaller, see :func:`drop_fragments`.

    Returns:
        (X, Y), 1, 2, ... for the instances, 0 for pixels that are led to no centre or whose fragment was dropped.

    Raises:
        ValueError: when shapes differ, a centroid is off the grid or a displacement is not finite.
    """
    d = _field(displacement)
    c = np.asarray(centroids)
    if c.shape != d.shape or (c < 0).any() or (c >= np.array(d.shape[1:])[:, None, None]).any():
        raise ValueError(f"centroids {c.shape} must be cells of the grid of the displacement {d.shape}")
    # In the picture, so that centres are numbered row by row as published code does.
    centres, _ = ndimage.label(tensor_to_picture(np.hypot(*d) < max_length))
    instances = picture_to_tensor(np.asarray(centres))[c[0], c[1]].astype(np.int64)
    return drop_fragments(instances, min_fraction)


def drop_fragments(instances: ArrayLike, min_fraction: float = 0.01) -> NDArray[np.int64]:
    """Remove the 4-connected parts of instances that cover less than a fraction of the image.

    Args:
        instances: (X, Y), 0 outside instances.
        min_fraction: of the X Y pixels; IRNet ignores parts below 0.01.

    Returns:
        (X, Y) with the remaining instances numbered 1, 2, ... in the order of their old numbers.
    """
    given = np.asarray(instances)
    label = needed("skimage.measure", "scikit-image", "telling instances apart").label
    parts = np.asarray(label(given, background=0, connectivity=1))  # of equal numbers
    kept = np.where((np.bincount(parts.ravel()) >= min_fraction * given.size)[parts], given, 0)
    numbers = np.unique(np.append(kept, 0), return_inverse=True)[1]
    return numbers[:-1].reshape(kept.shape).astype(np.int64)


def _field(displacement: ArrayLike) -> NDArray[np.float64]:
    d = np.asarray(displacement, dtype=np.float64)
    if d.ndim != 3 or len(d) != 2 or d.size == 0 or not np.isfinite(d).all():
        raise ValueError(f"displacement must be (2, X, Y) and finite, got shape {d.shape}")
    return d


def _bilinear(steps: NDArray[np.complex128], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steps x + iy (X + 1, Y + 1), read at points (2, n) of the X, Y grid; gives (2, n)."""
    cell = at.astype(np.int64)
    fx, fy = at - cell
    flat, stride = steps.ravel(), steps.shape[1]
    i = cell[0] * stride + cell[1]
    near, far = flat[i], flat[i + 1]
    near = near + fx * (flat[i + stride] - near)
    far = far + fx * (flat[i + stride + 1] - far)
    value = near + fy * (far - near)
    return np.stack((value.real, value.imag))
