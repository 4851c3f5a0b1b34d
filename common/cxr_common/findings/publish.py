"""Files that appear together or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".partial-"


@contextmanager
def published(folder: Path, obsolete: Iterable[str] = ()) -> Iterator[Path]:
    """Give an empty hidden folder to write into; on success its files move into `folder`, else nothing changes there.

    Args:
        folder: where the files go in the end; made where missing.
        obsolete: names in `folder` to remove at the same moment, being of an earlier run.

    Raises:
        OSError: a file cannot be moved; files that were there before are put back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    try:
        new = staging / "new"
        new.mkdir()
        yield new
        _swap(new, staging / "old", folder, set(obsolete))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _swap(new: Path, old: Path, folder: Path, obsolete: set[str]) -> None:
    old.mkdir()
    names = sorted(path.name for path in new.iterdir())
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
            (folder / name).unlink(missing_ok=True)
        for path in old.iterdir():
            path.replace(folder / path.name)
        raise


def sweep(folder: Path) -> None:
    """Remove what a killed run left half-written in `folder`; files that it was replacing are put back."""
    for path in folder.glob(f"{_PREFIX}*"):
        old = path / "old"
        # Where no new file is left to be moved, the old ones were replaced.
        if old.is_dir() and any((path / "new").glob("*")):
            for file in old.iterdir():
                file.replace(folder / file.name)
        shutil.rmtree(path, ignore_errors=True)
