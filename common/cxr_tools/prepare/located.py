"""Which file a path of a datalist means."""

from __future__ import annotations

import os
from pathlib import Path


def located(root: Path, path: str) -> Path:
    """The file, found as loading finds it: `..` takes a folder's name away, also where that is a link elsewhere.

    Args:
        root: data set root.
        path: relative to it, as the datalist has it.
    """
    return Path(os.path.normpath(root / path))
