"""Pictures that are kept while images are loaded, so that drawing on them need not read the files again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

_kept: ContextVar[dict[str, np.ndarray] | None] = ContextVar("kept_pictures", default=None)


@contextmanager
def keeping_pictures(wanted: bool = True) -> Iterator[dict[str, np.ndarray]]:
    """Keep what `RadiographReader` reads in this thread, where it is wanted.

    Yields:
        Path -> uint8 (X, Y), upright, at the file's size; see :func:`eight_bits`. Pictures in colour are not kept.
    """
    kept: dict[str, np.ndarray] = {}
    token = _kept.set(kept if wanted else None)
    try:
        yield kept
    finally:
        _kept.reset(token)


def keep_picture(path: str, picture: np.ndarray) -> None:
    """Keep an upright picture (X, Y) in [0, 1], where somebody asked for it."""
    if (kept := _kept.get()) is not None and picture.ndim == 2:
        kept[path] = eight_bits(picture)


def eight_bits(picture: np.ndarray) -> np.ndarray:
    """A picture in 256 greys, as screens show it: a quarter of the memory.

    Args:
        picture: of any shape, in [0, 1]; one of uint8 is returned as it is.

    Returns:
        uint8, in the memory layout of the picture, so that what is stored by rows stays so.
    """
    if picture.dtype == np.uint8:
        return picture
    grey = np.multiply(picture, 255, dtype=np.float32)
    return np.clip(np.rint(grey, out=grey), 0, 255, out=grey).astype(np.uint8)
