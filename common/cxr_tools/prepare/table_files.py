"""Where a data set's table lies, and its text: plain, ``.gz`` or ``.zip``."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO
from zipfile import BadZipFile, ZipFile

from cxr_common.errors import InputError

_PACKED = ("", ".gz", ".zip")


def find_table(root: Path, *names: str, folders: tuple[str, ...] = (".",)) -> Path | None:
    """The first of these files that lies in the root or another folder of it, packed or not; None where none does.

    Args:
        root: of the data set.
        names: file names, without ``.gz`` or ``.zip``.
        folders: where to look, in order; patterns such as ``CheXpert-v1.0*`` are filled in.
    """
    for folder in folders:
        for place in sorted(root.glob(folder)) if folder != "." else [root]:
            for name in names:
                for suffix in _PACKED:
                    if (path := place / f"{name}{suffix}").is_file():
                        return path
    return None


def need_table(root: Path, *names: str, folders: tuple[str, ...] = (".",)) -> Path:
    """:func:`find_table`, for a table that must be there.

    Raises:
        InputError: no such table; names what was looked for.
    """
    if not root.is_dir():
        raise InputError("no such folder", root, "give the folder that the data set was unpacked to as --root")
    if (path := find_table(root, *names, folders=folders)) is None:
        others = "" if folders == (".",) else f" (looked in {', '.join(folders)})"
        action = "give the folder that holds the data set's tables as --root"
        raise InputError(f"has no {' or '.join(names)}{others}, plain, .gz or .zip", root, action)
    return path


@contextmanager
def open_table(path: Path) -> Iterator[TextIO]:
    """A table's text, UTF-8, without byte-order mark and with its line ends as they are.

    Raises:
        InputError: a packed file is damaged, or a zip file holds another number of files than one.
        OSError: it cannot be opened.
    """
    if path.exists() and not path.is_file():  # a pipe would block for ever
        raise InputError("is not an ordinary file", path, "give the file of a table")
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
                yield file
        elif path.suffix == ".zip":
            with ZipFile(path) as archive:
                members = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
                if len(members) != 1:
                    raise InputError(f"holds {len(members)} files, not one table", path, "unpack it")
                with archive.open(members[0]) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
                    yield file
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
    except (gzip.BadGzipFile, BadZipFile, zlib.error, EOFError) as error:
        raise InputError(f"cannot be unpacked ({error})", path, "fetch it again") from None


def count_lines(path: Path) -> int:
    """Lines of a table, for a progress bar."""
    with open_table(path) as file:
        return sum(1 for _ in file)
