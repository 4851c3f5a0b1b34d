"""Finding masks of datalist items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from cxr_common.data.reader import read_picture
from cxr_common.errors import InputError

Mask = NDArray[np.bool_]


def read_mask(path: PathLike | str) -> Mask:
    """Read one mask upright at its full size.

    Args:
        path: PNG, TIFF, NIfTI or any other format a radiograph may have; what is not zero is inside. In a JPEG, which
            blurs edges, it is what is brighter than half of the brightest.

    Returns:
        bool (width, height).

    Raises:
        InputError: see :class:`cxr_common.data.RadiographReader`.
    """
    picture = read_picture(path)
    lossy = Path(path).suffix.lower() in (".jpg", ".jpeg")
    return picture > (picture.max() / 2 if lossy else 0)


def load_masks(item: Mapping[str, Any], labels: Sequence[str], size: tuple[int, int]) -> list[Mask | None]:
    """The masks of a datalist item.

    Args:
        item: with ``mask``, class -> path or None (annotated, empty); without it nothing is annotated.
        labels: class names wanted, in order.
        size: (width, height) of the image.

    Returns:
        One mask per label: bool (width, height), or None where the class is not annotated.

    Raises:
        InputError: a mask cannot be read, or is of another size than its image.
    """
    known = item.get("mask") or {}
    return [_load(known[label], size) if label in known else None for label in labels]


def resize_mask(mask: Mask, size: tuple[int, int]) -> Mask:
    """A mask (X, Y) on another grid over the same image: a cell is inside where more than half of it is covered."""
    if mask.shape == tuple(size):
        return mask
    covered = F.interpolate(torch.from_numpy(mask).float()[None, None], size=tuple(size), mode="area")
    return covered[0, 0].numpy() > 0.5


def _load(path: str | None, size: tuple[int, int]) -> Mask:
    if path is None:
        return np.zeros(size, dtype=bool)
    mask = read_mask(path)
    if mask.shape != tuple(size):
        found, expected = (" x ".join(str(n) for n in shape) for shape in (mask.shape, size))
        raise InputError(f"the mask has {found} pixels, its image {expected}", path, "give masks of the image's size")
    return mask
