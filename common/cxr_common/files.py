"""Files that are there whole or not at all, and their hashes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary name beside `path`, of the same suffix, that takes its place when the block ends.

    Where the block raises, or the process is killed, `path` stays what it was. Its folder is made where missing.

    Args:
        path: the file to write; an existing one is replaced.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file (UTF-8), whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(record: Any, path: str | Path) -> None:
    """Write a JSON file, whole or not at all.

    Raises:
        ValueError: when a number is not finite.
    """
    write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", path)


def file_sha256(path: str | Path, action: str = "check the path") -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits.

    Raises:
        InputError: when the file cannot be read; says what to do about it by `action`.
    """
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", path, action) from None
