"""What exports of a datalist need of an item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cxr_common.data.image_size import upright_size
from cxr_common.errors import InputError
from cxr_tools.prepare.located import located


def item_size(item: Mapping[str, Any], root: Path) -> tuple[int, int]:
    """Width and height of an item's image.

    Raises:
        InputError: there is no such file, or its size cannot be told.
    """
    path = located(root, item["image"])
    if (size := upright_size(path)) is None:
        reason = "has no size that can be told" if path.is_file() else "no such file"
        raise InputError(reason, path, "give the data set root as --root, or take the image out of the datalist")
    return size
