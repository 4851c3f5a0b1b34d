"""File names for cases: readable, and never shared by two inputs."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.findings.heatmap_file import heatmap_name, load_heatmap

#: Starts with a letter, since DICOM files are often named by a UID, whose last number is no suffix.
_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}(\.gz)?$")


def slug(text: str) -> str:
    """Letters, digits, dot, dash and underscore; anything else becomes a dash."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "image"


def absolute(path: str | Path) -> Path:
    """An absolute path without "..", whose links are not followed."""
    return Path(os.path.abspath(as_path(path)))


class CaseNames:
    """Hands out one case name per input.

    The name is the path below `root` without its suffix, folders joined by "__". Where another input has that name
    already, in this run or by the files of an earlier run in `output_dir`, a hash of the input's absolute path is
    appended. So the same input keeps its name from run to run and replaces only its own files.

    Args:
        output_dir: where the cases' files go.
        root: folder the inputs come from; None, or an input outside it, names a case by its file name.
    """

    def __init__(self, output_dir: Path, root: str | Path | None = None) -> None:
        self.output_dir = output_dir
        self.root = None if root is None else absolute(root)
        if self.root is not None and self.root.is_file():
            self.root = self.root.parent
        self._owners: dict[str, str] = {}

    def relative(self, path: str | Path) -> Path:
        """The path below `root`, links in it as they are; the path itself where it lies elsewhere."""
        return self._below(path) or Path(path)

    def _below(self, path: str | Path) -> Path | None:
        if self.root is not None:
            full, root = absolute(path), self.root
            if not full.is_relative_to(root):  # perhaps it is by what links lead to, which has to be asked of the disk
                full, root = full.resolve(), root.resolve()
            if full.is_relative_to(root):
                return full.relative_to(root)
        return None

    def name(self, path: str | Path) -> str:
        """The case name of an input path."""
        full = str(absolute(path))
        below = self._below(path)
        parts = (Path(path).name,) if below is None else below.parts
        base = slug(_SUFFIX.sub("", "__".join(parts)))[:120]
        for name in (base, f"{base}-{hashlib.sha256(os.fsencode(full)).hexdigest()[:8]}"):
            # Case folded: some file systems hold A.png and a.png for the same.
            if self._owners.setdefault(name.casefold(), self._owner_on_disk(name) or full) == full:
                break
        return name

    def _owner_on_disk(self, name: str) -> str | None:
        try:
            return load_heatmap(self.output_dir / heatmap_name(name)).source
        except InputError:
            return None
