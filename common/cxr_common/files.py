"""Files that are there whole or not at all, and their hashes."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError

#: Lies in a folder while a run writes its results there, and stays behind where the run was killed.
RUN_FILE = ".cxr-run"
#: This machine, as it stands in names of temporary files.
HOST = re.sub(r"[^A-Za-z0-9]+", "-", platform.node())[:40] or "host"
_TEMPORARY = re.compile(r"\..*\." + HOST + r"\.(\d+)\.tmp(\.[^.]+)?")


def as_path(value: str | os.PathLike[str] | float) -> Path:
    """A path, also where the command line made a number of it.

    ``--dataset_dir 2026_05`` reaches a config as the number 202605. The name is then looked up among the words of the
    command line.

    Args:
        value: the path, or such a number.
    """
    if isinstance(value, (int, float)):
        for word in (part for argument in sys.argv for part in (argument, argument.partition("=")[2])):
            try:
                same = ast.literal_eval(word) == value
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                continue
            if same:
                return Path(word)
        return Path(str(value))
    return Path(value)


def path_in(folder: str | os.PathLike[str] | float, name: str) -> str:
    """The path of a file or folder in a folder that :func:`as_path` takes, as text, for configs."""
    return str(as_path(folder) / name)


@contextmanager
def replacing(path: str | os.PathLike[str], suffix: str | None = None) -> Iterator[Path]:
    """A temporary name beside `path` that takes its place when the block ends.

    Where the block raises, or the process is killed, `path` stays what it was. Its folder is made where missing.

    Args:
        path: the file to write; an existing one is replaced.
        suffix: of the temporary name; None for that of `path`.

    Raises:
        InputError: the file cannot be written: rights, a full disk.
    """
    path = Path(path)
    ending = path.suffix if suffix is None else suffix
    temporary = path.with_name(f".{path.stem[:40]}.{HOST}.{os.getpid()}.tmp{ending}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror or error})", path, "check space and rights") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def sweep_temporary(folder: str | os.PathLike[str]) -> None:
    """Remove what killed processes of this machine left of :func:`replacing` in a folder."""
    for path in Path(folder).glob(".*.tmp*"):
        match = _TEMPORARY.fullmatch(path.name)
        if match and not is_alive(int(match[1])):
            path.unlink(missing_ok=True)


def is_alive(process: int) -> bool:
    """Whether a process of this machine is running."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's
        pass
    return True


def cache_folder() -> Path:
    """The folder of this user's cache; what lies in it can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cxr-bundles"


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
