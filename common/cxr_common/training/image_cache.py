"""Read each image once: a transform that keeps what deterministic transforms made of an image on disk."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import MetaTensor
from monai.transforms import Compose, Transform

from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.training.image_key import describe_transforms
from cxr_common.training.packed_images import PackedImages, Picture
from cxr_common.training.persistent_images import PersistentImages
from cxr_common.transforms.original import original_size

KINDS = ("packed", "persistent")


class CachedImaged(Transform):
    """Apply transforms that read and resize an image, or take their result from disk.

    It stands where they stood, before labels are encoded and anything is random: annotations may change without a file
    being read again. A file that changed, another size or any other setting of the transforms has another name in the
    cache, so nothing old is ever read. What an image is comes out the same whether it was read or was in the cache, in
    any process; so training is as reproducible as without. An image that cannot be read is reported as without, each
    time.

    Of the metadata it keeps the path (``filename_or_obj``) and the original's size (``spatial_shape``). Warnings are
    given when the file is read.

    Args:
        transforms: deterministic, of the image alone, such as ``LoadRadiographd`` and ``Resized``.
        items: the datalist items that will come.
        folder: of the cache, best on a fast local disk; runs and processes may share it.
        kind: "packed": one file for all `items`, see :class:`PackedImages`; or "persistent": one for each image, see
            :class:`PersistentImages`.
        dtype: of packed pixels.
        key: of the image in an item.

    Raises:
        InputError: a transform is random, or the kind or type is unknown.
    """

    def __init__(
        self,
        transforms: Sequence[Callable],
        items: Sequence[Mapping[str, Any]],
        folder: str | Path,
        kind: str = "packed",
        dtype: str = "float16",
        key: str = "image",
    ) -> None:
        self.key, self.compose = key, Compose(list(transforms))
        paths, description = [str(item[key]) for item in items], describe_transforms(transforms)
        if kind not in KINDS:
            raise InputError(f"{kind!r} is not a kind of cache", "image cache", f"use {' or '.join(KINDS)}")
        self.store: Callable[[str], Picture]
        if kind == "packed":
            self.store = PackedImages(as_path(folder), paths, description, self._make, dtype)
        else:
            self.store = PersistentImages(as_path(folder), paths, description, self._make)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Put the image of one item in the place of its path; the other keys pass through."""
        path = str(data[self.key])
        pixels, size = self.store(path)
        meta = {"filename_or_obj": path, "spatial_shape": np.array(size)}
        return {**data, self.key: MetaTensor(pixels, meta=meta)}

    def _make(self, path: str) -> Picture:
        image = self.compose({self.key: path})[self.key]
        return image.as_tensor(), original_size(image, path)
