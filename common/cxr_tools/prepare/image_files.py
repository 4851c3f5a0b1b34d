"""Where the images of a data set lie: folders differ from one download to the next."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from cxr_common.errors import InputError

_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom", ".tif", ".tiff")


class ImageFiles:
    """Finds images below a root, by path and by name; all names are collected once, at the first search."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, paths: Sequence[str], by_name: bool = False) -> str | None:
        """The first path that is there.

        Args:
            paths: relative to the root, in order.
            by_name: whether to look in every folder for a file of the same name, its suffix aside.

        Returns:
            A path relative to the root with forward slashes; None where there is no such file.

        Raises:
            InputError: several files have that name.
        """
        for path in paths:
            if _is_file(self.root / path):
                return path
        if not by_name:
            return None
        found = self._by_name.get(PurePosixPath(paths[0]).stem, [])
        if len(found) > 1:
            reason = f"{PurePosixPath(paths[0]).name} lies in several folders: {', '.join(sorted(found)[:3])}"
            raise InputError(reason, self.root, "keep one of them below --root")
        return found[0] if found else None

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = {}
        seen: set[str] = set()
        for folder, folders, files in os.walk(self.root, followlinks=True):
            if (real := os.path.realpath(folder)) in seen:  # a link back up would go round for ever
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if not name.startswith(".") and not name.endswith("_masks"))
            shift = Path(os.path.relpath(folder, self.root)).as_posix()
            for file in files:
                stem, suffix = Path(file).stem, Path(file).suffix
                if suffix.lower() in _SUFFIXES:
                    names.setdefault(stem, []).append(file if shift == "." else f"{shift}/{file}")
        return names


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is longer than the file system allows
        return False
