"""One command at a time works in a work folder: two would run the bundle twice, and sweep each other's files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.findings.run_folder import LOCK

_FILE = ".in-use"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a work folder. The system lets go of it however the process ends; on Windows nothing is held.

    Args:
        folder: made where missing.

    Raises:
        InputError: another command holds it, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = open(folder / _FILE, "ab")  # noqa: SIM115
    except OSError as error:
        raise InputError(f"cannot be used ({error.strerror})", folder, "give another --work folder") from None
    with file:
        try:
            if LOCK is not None:
                LOCK.flock(file, LOCK.LOCK_EX | LOCK.LOCK_NB)
        except OSError:
            action = "wait until it has ended, or give another --work folder"
            raise InputError("another cxr pacs command works in this folder", folder, action) from None
        yield
