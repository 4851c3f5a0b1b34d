"""MONAI transforms that load radiographs."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np
import torch
from monai.config import DtypeLike, KeysCollection
from monai.data import ImageReader, MetaTensor
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

    What holds an image in memory instead, such as MONAI Deploy, gives the image in the place of its path, see
    :func:`in_memory`.

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
            filename: the path, or the image.
            reader: must be None; MONAI's signature.

        Raises:
            InputError: the file cannot be read as a radiograph.
        """
        if reader is not None:
            raise InputError("no other reader can be used", type(self).__name__, "use LoadImage for other files")
        if isinstance(filename, (np.ndarray, torch.Tensor)):
            image = in_memory(filename)
            return image if self.image_only else (image, image.meta)
        # Given at run time, the reader is called directly: its errors are not replaced by a list of tracebacks.
        return super().__call__(filename, self.readers[0])


def in_memory(image: np.ndarray | torch.Tensor) -> MetaTensor:
    """An image that was read already, as the reader gives it.

    Args:
        image: (1, X, Y), (X, Y) or (X, Y, 1), grey values in [0, 1], bright where the body is dense; of a MetaTensor
            the metadata are kept.

    Returns:
        (1, X, Y) float32; "in_memory" in its meta is true.

    Raises:
        InputError: it has another shape, or other values.
    """
    values = torch.as_tensor(image.as_tensor() if isinstance(image, MetaTensor) else image).float()
    if values.ndim == 3 and values.shape[0] != 1 and values.shape[2] == 1:
        values = values.movedim(2, 0)
    values = values[None] if values.ndim == 2 else values
    action = "read it by RadiographReader, or in MONAI Deploy by cxr_tools.deploy's RadiographOperator"
    if values.ndim != 3 or len(values) != 1:
        raise InputError(f"has the shape {tuple(image.shape)} instead of (1, X, Y)", "image in memory", action)
    if not (float(values.min()) >= 0 and float(values.max()) <= 1):  # NaN is neither
        raise InputError("its values are not grey in [0, 1]", "image in memory", action)
    meta = dict(image.meta) if isinstance(image, MetaTensor) else {}
    affine = torch.as_tensor(image.affine) if isinstance(image, MetaTensor) else torch.eye(4, dtype=torch.float64)
    meta |= {"spatial_shape": list(values.shape[1:]), "original_affine": affine.numpy(), "in_memory": True}
    return MetaTensor(values, affine=affine, meta={key: value for key, value in meta.items() if key != "affine"})


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
