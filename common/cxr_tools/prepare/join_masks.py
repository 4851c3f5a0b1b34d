"""Several mask files of one class in an image become one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.data.masks import read_mask
from cxr_common.errors import InputError
from cxr_common.files import replacing
from cxr_tools.prepare.flat_names import FlatNames


def join_masks(datalist: dict[str, Any], root: Path, folder: Path) -> int:
    """Write the union of the masks wherever an item names a list of files, and name that instead.

    Args:
        datalist: changed in place; an entry of an item's "mask" may be a list of paths.
        root: what paths in it are relative to.
        folder: for the unions, PNG named after image and class; made where it is needed.

    Returns:
        How many were written.

    Raises:
        InputError: a mask cannot be read, or differs in size from the others.
    """
    written, names = 0, FlatNames()
    for section in ("training", "validation", "testing"):
        for item in datalist[section]:
            for name, files in (item.get("mask") or {}).items():
                if not isinstance(files, list):
                    continue
                path = folder / f"{names.stem(item['image'], name)}.png"
                with replacing(path) as temporary:
                    Image.fromarray(255 * _union([root / file for file in files]).T.astype(np.uint8)).save(temporary)
                item["mask"][name] = Path(os.path.relpath(path, root)).as_posix()  # links stay: loading follows none
                written += 1
    return written


def _union(files: list[Path]) -> np.ndarray:
    masks = [read_mask(file) for file in files]
    for file, mask in zip(files[1:], masks[1:], strict=True):
        if mask.shape != masks[0].shape:
            sizes = " and ".join(" x ".join(map(str, m.shape)) for m in (masks[0], mask))
            raise InputError(f"is to be joined with a mask of another size ({sizes} pixels)", file)
    return np.logical_or.reduce(masks)
