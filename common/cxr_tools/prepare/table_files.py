"""Where a data set's table lies, and its text: plain, ``.gz`` or ``.zip``."""

from __future__ import annotations

import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TextIO
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
        InputError: the file cannot be read, is not UTF-8, is damaged, needs a password, or is a zip file with another
            number of files than one.
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
                with _member(archive, members[0], path) as raw, io.TextIOWrapper(raw, "utf-8-sig", newline="") as file:
                    yield file
        else:
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield file
    except (gzip.BadGzipFile, BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise InputError(f"cannot be unpacked ({error})", path, "fetch it again") from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", path, "save it as csv, UTF-8") from None
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path, "check the path and its rights") from None


def _member(archive: ZipFile, name: str, path: Path) -> IO[bytes]:
    try:
        return archive.open(name)
    except (RuntimeError, NotImplementedError) as error:  # a password; a kind of packing that Python does not know
        raise InputError(f"cannot be unpacked ({error})", path, "unpack it yourself") from None


def count_lines(path: Path) -> int:
    """Lines of a table that are not blank, for a progress bar.

    Raises:
        InputError: as of :func:`open_table`.
    """
    with open_table(path) as file:
        return sum(1 for line in file if not line.isspace())
