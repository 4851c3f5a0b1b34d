"""Images in files of their own, as MONAI's persistent data set keeps them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.data import PersistentDataset
from monai.transforms import Compose, Lambda

from cxr_common.files import replacing
from cxr_common.training.image_key import file_state, key_of
from cxr_common.training.packed_images import Picture


class PersistentImages(PersistentDataset):
    """A store of images: MONAI's ``PersistentDataset`` with a file ``<key>.pt`` for each image file, float32.

    Lists of images share what they have in common, and images may be of any size.

    MONAI writes to the system's temporary folder and moves the file from there. On another disk that is a copy: a
    process that is killed leaves half a file, which ends the next run. Here the temporary file lies beside the file,
    and a file that is damaged all the same is made again.

    Args:
        folder: made where missing.
        paths: the image files.
        description: of what `make` does.
        make: reads an image file: (C, X, Y) float and the original's (width, height).
    """

    def __init__(
        self, folder: str | Path, paths: Sequence[str], description: str, make: Callable[[str], Picture]
    ) -> None:
        self.description = description
        super().__init__(list(paths), Compose(Lambda(make)), folder, hash_func=self._key)

    def __call__(self, path: str) -> Picture:
        """What `make` gives for a file.

        Raises:
            InputError: of `make`; or the file cannot be written.
        """
        pixels, (width, height) = self._cachecheck(path)
        return pixels, (width, height)

    def _key(self, path: str) -> bytes:
        return key_of([self.description, file_state(path)]).encode()

    def _cachecheck(self, item_transformed: Any) -> Any:
        file = Path(str(self.cache_dir)) / f"{self._key(item_transformed).decode()}.pt"
        try:
            return torch.load(file, weights_only=True)
        except FileNotFoundError:
            pass
        except (RuntimeError, EOFError, pickle.UnpicklingError):
            file.unlink(missing_ok=True)
        picture = self._pre_transform(item_transformed)
        with replacing(file) as temporary:
            torch.save(picture, temporary)
        return picture
