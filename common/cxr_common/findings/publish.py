"""Files that appear together or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cxr_common.files import HOST, is_alive

_PREFIX = ".partial-"
_OWNED = re.compile(re.escape(f"{_PREFIX}{HOST}.") + r"(\d+)\..*")


@contextmanager
def published(folder: Path, obsolete: Iterable[str] = (), folders: Collection[str] = ()) -> Iterator[Path]:
    """Give an empty hidden folder to write into; on success its files move into `folder`, else nothing changes there.

    Args:
        folder: where the files go in the end; made where missing.
        obsolete: names in `folder` to remove at the same moment, being of an earlier run.
        folders: those of all names that may be folders of an earlier run; no other folder is replaced or removed.

    Raises:
        OSError: a file cannot be moved, or a folder is in its way; files that were there before are put back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{HOST}.{os.getpid()}.", dir=folder))
    try:
        new = staging / "new"
        new.mkdir()
        yield new
        _swap(new, staging / "old", folder, set(obsolete), folders)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(new: Path, old: Path, folder: Path, obsolete: set[str], folders: Collection[str]) -> None:
    old.mkdir()
    names = sorted(path.name for path in new.iterdir())
    for name in sorted({*names, *obsolete} - set(folders)):
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, "a folder is in the way", str(folder / name))
    placed: list[str] = []
    try:
        for name in sorted({*names, *obsolete}):
            if (folder / name).exists():
                (folder / name).replace(old / name)
        for name in names:
            (new / name).replace(folder / name)
            placed.append(name)
    except BaseException:
        for name in placed:
            (folder / name).replace(new / name)
        for path in old.iterdir():
            path.replace(folder / path.name)
        raise


def sweep(folder: Path, alive: bool = True) -> None:
    """Remove what a killed run left half-written in `folder`; files that it was replacing are put back.

    Args:
        folder: where :func:`published` wrote.
        alive: whether that of processes that are alive, or of other machines, is removed too: only where no other run
            can be writing there.
    """
    for path in folder.glob(f"{_PREFIX}*"):
        owner = _OWNED.fullmatch(path.name)
        if not alive and (owner is None or is_alive(int(owner[1]))):
            continue
        old = path / "old"
        # Where no new file is left to be moved, the old ones were replaced.
        if old.is_dir() and any((path / "new").glob("*")):
            for file in old.iterdir():
                file.replace(folder / file.name)
        shutil.rmtree(path, ignore_errors=True)
