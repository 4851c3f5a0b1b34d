"""Unpacks a zip that nobody vouches for."""

from __future__ import annotations

import re
import stat
import zipfile
from pathlib import Path, PurePosixPath

from .outcome import CannotRun

MAX_FILES = 20_000
MAX_BYTES = 8 * 1024**3
_CHUNK = 1024**2


def unpack(archive: Path, folder: Path, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES) -> None:
    """Unpack a zip into an empty folder.

    Args:
        archive: zip file.
        folder: where to; nothing is written outside it.
        max_bytes: largest sum of unpacked bytes, counted while they are written: headers can lie.
        max_files: largest number of entries.

    Raises:
        CannotRun: if the file is damaged or encrypted, an entry is a link, leaves the folder or is there twice,
            or it is too large.
    """
    try:
        with zipfile.ZipFile(archive) as zip_file:
            entries = zip_file.infolist()
            if len(entries) > max_files:
                raise CannotRun(f"{archive.name} has {len(entries)} entries", f"a bundle has at most {max_files}")
            seen: set[str] = set()
            left = max_bytes
            for entry in entries:
                name = _safe_name(entry)
                if name.casefold() in seen:
                    raise CannotRun(f"{archive.name} holds {name!r} twice", "pack it again")
                seen.add(name.casefold())
                target = folder / name
                if entry.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                else:
                    left = _write(zip_file, entry, target, left)
                    if left < 0:
                        allowed = f"{max_bytes / 1024**3:.3g} GB"
                        raise CannotRun(f"{archive.name} unpacks to more than {allowed}", "--max-gigabytes allows more")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise CannotRun(
            f"{archive.name} cannot be unpacked ({error})", "fetch it again, or pack it again as a plain zip"
        ) from error


def _safe_name(entry: zipfile.ZipInfo) -> str:
    # ZipInfo cuts a name at a NUL and turns the system's separator round; what was written counts.
    name = entry.orig_filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.search(r"[\\\x00:]", name) or not path.parts:
        raise CannotRun(f"the entry {name!r} leaves the folder it is unpacked in", "do not unpack this file")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise CannotRun(f"the entry {name!r} is a link", "pack the file itself")
    if entry.flag_bits & 0x1:
        raise CannotRun(f"the entry {name!r} is encrypted", "pack it without a password")
    return str(path)


def _write(zip_file: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path, left: int) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zip_file.open(entry) as source, target.open("xb") as output:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            output.write(chunk)
    return left
