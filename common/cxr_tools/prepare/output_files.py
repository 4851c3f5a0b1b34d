"""Where a datalist and the files beside it are written: all of them or none, and nothing of the user's is replaced."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cxr_common.data.datalist_schema import item_paths
from cxr_common.data.datalist_validation import iterate_items
from cxr_common.errors import InputError
from cxr_common.findings.publish import published, sweep
from cxr_common.json_files import read_json

#: How a datalist begins that this package wrote.
_BEGINNING = b'{"labels": '
_OTHER = "give --output another name, such as datalist.json"


@contextmanager
def written(folder: Path, obsolete: Collection[str] = (), folders: Collection[str] = ()) -> Iterator[Path]:
    """:func:`~cxr_common.findings.publish.published`; what killed runs left in `folder` is removed first.

    Raises:
        InputError: files cannot be written there, or a folder of the same name as a file is in the way.
    """
    try:
        sweep(folder, alive=False)
        with published(folder, obsolete, folders) as new:
            yield new
    except OSError as error:
        where = error.filename or folder
        raise InputError(
            f"cannot be read or written ({error.strerror or error})", where, "check space and rights"
        ) from None


@contextmanager
def masks_undone(folder: Path) -> Iterator[None]:
    """Remove the files that the block adds to a folder of masks, and the folder if it was not there, where it fails.

    Args:
        folder: of masks only; what was there before stays.
    """
    before = {path.name for path in folder.iterdir()} if folder.is_dir() else None
    try:
        yield
    except BaseException:
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.name not in (before or ()):
                path.unlink()
        if before is None:
            with suppress(OSError):
                folder.rmdir()
        raise


def check_datalist_output(output: Path, masks: Path) -> None:
    """Refuse to replace what no earlier run made: another file, or masks that the earlier datalist does not name.

    Args:
        output: the datalist to write.
        masks: the folder of its masks.

    Raises:
        InputError: says what is in the way.
    """
    if output.suffix.lower() != ".json":
        raise InputError("does not end in .json", output, _OTHER)
    if output.is_dir():
        raise InputError("is a folder", output, _OTHER)
    if output.is_file() and not _begins_as_datalist(output):
        raise InputError("is there already, and no datalist that this program wrote", output, _OTHER)
    there = [path.name for path in masks.iterdir()] if masks.is_dir() else [masks.name] * masks.exists()
    if there and (strange := sorted(set(there) - _named_masks(output))):
        raise InputError(f"holds {strange[0]}, which no earlier run of this command wrote", masks, _OTHER)


def _begins_as_datalist(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path, "check its rights") from None


def _named_masks(output: Path) -> set[str]:
    """File names of the masks that an earlier datalist names."""
    if not output.is_file():
        return set()
    data = read_json(output, "remove it")
    paths = (path for _, item in iterate_items(data) for field, path in item_paths(item) if field.startswith("mask"))
    return {Path(path).name for path in paths}
