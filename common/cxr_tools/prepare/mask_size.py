"""Sizes of masks that a file tells, before memory is asked for."""

from __future__ import annotations

#: Pixels of the largest radiograph are a tenth of that.
_MOST_PIXELS = 1 << 28


def checked_size(size: tuple[int, int]) -> tuple[int, int]:
    """A size (width, height) that a mask can have.

    Raises:
        ValueError: it is empty, or larger than any image.
    """
    if min(size) < 1 or size[0] * size[1] > _MOST_PIXELS:
        raise ValueError(f"{size[0]} x {size[1]} pixels is no size of an image")
    return size
