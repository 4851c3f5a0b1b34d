"""A folder of results that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import HOST, is_alive


@contextmanager
def new_folder(output: Path, *parts: str) -> Iterator[Path]:
    """Give a temporary folder beside `output`, which takes its name when all has gone well and is removed otherwise.

    What a killed process of this machine left of it is removed too.

    Args:
        output: the folder to make; it may be there and empty.
        parts: folders to make in it.

    Raises:
        InputError: the folder exists and is not empty, or cannot be written.
    """
    output = output.resolve()
    _check_free(output)
    # Its own name for each process: two runs at a time do not write into each other's.
    start = f".{output.name}.making-{HOST}-"
    temporary = output.with_name(f"{start}{os.getpid()}")
    try:
        for path in output.parent.iterdir() if output.parent.is_dir() else ():
            left = path.name.removeprefix(start)
            # In a container that is started again a process has the number of the one before.
            if path.name != left and left.isdecimal() and (int(left) == os.getpid() or not is_alive(int(left))):
                shutil.rmtree(path, ignore_errors=True)
        for part in parts or ("",):
            (temporary / part).mkdir(parents=True)
        yield temporary
        _check_free(output)  # another run may have made it meanwhile
        if output.exists():
            output.rmdir()
        temporary.rename(output)
    except OSError as error:
        where = error.filename or output
        raise InputError(
            f"cannot be read or written ({error.strerror or error})", where, "check space and rights"
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_free(output: Path) -> None:
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise InputError("exists and is not an empty folder", output, "choose another folder, or delete it")
