"""MONAI transforms that load radiographs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np
from monai.config import DtypeLike, KeysCollection
from monai.data import ImageReader
from monai.transforms import LoadImage, LoadImaged

from cxr_common.data.reader import RadiographReader
from cxr_common.errors import InputError


@contextmanager
def _without_announcements() -> Iterator[None]:
    """LoadImage makes all of MONAI's readers first, some of which announce here what they lack."""
    logger = logging.getLogger("monai.data")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


class LoadRadiograph(LoadImage):
    """Load one radiograph with `RadiographReader`, and with no other reader.

    MONAI's own `LoadImage` turns to its other readers where one raises, so a file that is refused for a reason would
    come in with another polarity or axis order. Here the reader's `InputError` reaches the caller as it is.

    Args:
        channels: see `RadiographReader`.
        any_view: see `RadiographReader`.
        image_only: whether to return the image only, or the image and its metadata.
        dtype: type of the image.
        ensure_channel_first: whether to return (1, X, Y) instead of (X, Y).
        refuse_unlikely: see `RadiographReader`.

    Returns:
        A `MetaTensor`.
    """

    def __init__(
        self,
        channels: int = 1,
        any_view: bool = False,
        image_only: bool = True,
        dtype: DtypeLike = np.float32,
        ensure_channel_first: bool = True,
        refuse_unlikely: bool | None = None,
    ) -> None:
        with _without_announcements():
            super().__init__(image_only=image_only, dtype=dtype, ensure_channel_first=ensure_channel_first)
        self.auto_select = False
        self.readers: list[ImageReader] = [RadiographReader(channels, any_view, refuse_unlikely)]

    def __call__(self, filename: Sequence[PathLike | str] | PathLike | str, reader: ImageReader | None = None) -> Any:
        """Load a file.

        Args:
            filename: the path.
            reader: must be None; MONAI's signature.

        Raises:
            InputError: the file cannot be read as a radiograph.
        """
        if reader is not None:
            raise InputError("no other reader can be used", type(self).__name__, "use LoadImage for other files")
        # Given at run time, the reader is called directly: its errors are not replaced by a list of tracebacks.
        return super().__call__(filename, self.readers[0])


class LoadRadiographd(LoadImaged):
    """Dictionary version of `LoadRadiograph`.

    It is a `LoadImaged`, which MONAI Label and the Deploy SDK look for; MONAI Label switches ``image_only`` off, and
    then the metadata go under ``<key>_meta_dict`` too.

    Args:
        keys: keys of the paths, which the images replace: `MetaTensor` (1, X, Y) float32 in [0, 1].
        channels: see `RadiographReader`; with 3 the images are (3, X, Y).
        any_view: see `RadiographReader`.
        image_only: whether to leave out ``<key>_meta_dict``; the images carry their metadata in any case.
        dtype: type of the images.
        ensure_channel_first: whether to add the channel axis.
        allow_missing_keys: whether to pass over keys that a record does not have.
        refuse_unlikely: see `RadiographReader`.
    """

    def __init__(
        self,
        keys: KeysCollection,
        channels: int = 1,
        any_view: bool = False,
        image_only: bool = True,
        dtype: DtypeLike = np.float32,
        ensure_channel_first: bool = True,
        allow_missing_keys: bool = False,
        refuse_unlikely: bool | None = None,
    ) -> None:
        with _without_announcements():
            super().__init__(keys, allow_missing_keys=allow_missing_keys)
        self._loader = LoadRadiograph(channels, any_view, image_only, dtype, ensure_channel_first, refuse_unlikely)
