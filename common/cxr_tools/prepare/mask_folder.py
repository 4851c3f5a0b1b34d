"""Masks that a data set describes by numbers become files, one 1-bit PNG a class and image."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data.masks import resize_mask
from cxr_tools.prepare.datasets.base import DrawMask
from cxr_tools.prepare.flat_names import FlatNames


class MaskFolder:
    """Writes masks into a folder that takes its final place later.

    Args:
        staging: where files are written.
        final: where they will lie.
        root: paths in the datalist are relative to it.
    """

    def __init__(self, staging: Path, final: Path, root: Path) -> None:
        self.staging, self.vanished = staging, 0
        self._files: set[str] = set()
        self._resized: set[str] = set()
        self._names = FlatNames()
        self._prefix = Path(os.path.relpath(final, root)).as_posix()

    @property
    def written(self) -> int:
        """How many files there are."""
        return len(self._files)

    @property
    def resized(self) -> int:
        """How many of them were drawn for another size than that of their image."""
        return len(self._files & self._resized)

    def write(
        self, image: str, masks: Mapping[str, Sequence[DrawMask | None]], size: tuple[int, int] | None
    ) -> dict[str, str | None]:
        """Write an image's masks.

        Args:
            image: its path; names the files.
            masks: class -> masks whose union is wanted; None: annotated, empty.
            size: (width, height) of the image file, where it is there; masks of another size are resized to it.

        Returns:
            The ``mask`` of a datalist item.
        """
        return {name: self._union(image, name, [d for d in draws if d], size) for name, draws in masks.items()}

    def remove(self, mask: Mapping[str, str | None]) -> None:
        """Remove what :meth:`write` wrote for an image."""
        for path in filter(None, mask.values()):
            (self.staging / PurePosixPath(path).name).unlink()
            self._files.remove(PurePosixPath(path).name)

    def _union(self, image: str, name: str, draws: list[DrawMask], size: tuple[int, int] | None) -> str | None:
        masks = [draw(size) for draw in draws]
        if not masks:
            return None
        mask = np.logical_or.reduce(masks)
        file = f"{self._names.stem(image, name)}.png"
        drawn = bool(mask.any())
        if size is not None and mask.shape != size:
            mask = resize_mask(mask, size)
            if drawn and not mask.any():
                self.vanished += 1
            elif drawn:
                self._resized.add(file)
        if not mask.any():
            return None
        self.staging.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(tensor_to_picture(mask))).save(self.staging / file)
        self._files.add(file)
        return f"{self._prefix}/{file}"
