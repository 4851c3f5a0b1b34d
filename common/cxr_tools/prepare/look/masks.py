"""Masks that a training could not use."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_common.data.image_size import upright_size
from cxr_tools.prepare.located import located


def mask_faults(item: Mapping[str, Any], root: Path, size: tuple[int, int] | None) -> list[str]:
    """What is wrong with each mask of an item, by its file's header; pixels are not read.

    Args:
        item: of a datalist.
        root: data set root.
        size: (width, height) of the image; None where it is not known, and nothing is compared with it.
    """
    faults = []
    for path in filter(None, (item.get("mask") or {}).values()):
        file = located(root, path)
        found = upright_size(file) if file.is_file() else None
        if found is None:
            faults.append(f"{path} cannot be read" if file.is_file() else f"no such file: {path}")
        elif size is not None and found != size:
            faults.append(f"{path} has {found[0]} x {found[1]} pixels, the image {size[0]} x {size[1]}")
    return faults
