"""Opens what a person names: a bundle's folder, its zip, or a folder of Hugging Face."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bundle import Bundle
from .outcome import CannotRun
from .unpack import MAX_BYTES, unpack

#: A bundle beside one's own, as configs name it from `bundle_root`.
_BESIDE = re.compile(r"@bundle_root \+ '/\.\./(\w+)")
_METADATA = ("configs/metadata.json", "metadata.json")


@contextmanager
def open_bundle(path: Path, max_bytes: int = MAX_BYTES) -> Iterator[Bundle]:
    """The bundle at a path. A zip is unpacked into a temporary folder for as long as it is open.

    Raises:
        CannotRun: if there is no bundle, or no safe one.
    """
    if path.is_dir():
        root = path.resolve()
        yield Bundle(_bundle_root(root, path), root.name)
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="verify-") as folder:
            unpack(path, Path(folder), max_bytes)
            inside = list(Path(folder).iterdir())
            alone = len(inside) == 1 and inside[0].is_dir() and inside[0].name != "configs"
            top = inside[0] if alone else Path(folder)
            name = top.name if alone else path.stem
            if alone:
                _lay_beside(top, path, max_bytes)
            yield Bundle(_bundle_root(top, path).resolve(), name, archive=path, own_folder=alone)
    else:
        raise CannotRun(f"{path} is not there", "name a bundle's folder or its zip")


def _lay_beside(bundle: Path, archive: Path, max_bytes: int) -> None:
    """Unpack the bundles that a bundle looks for beside itself, where their zips lie beside its zip."""
    configs = [file for file in (bundle / "configs").glob("inference.*") if file.is_file()]
    for name in {name for file in configs for name in _BESIDE.findall(file.read_text("utf-8", errors="replace"))}:
        zips = sorted(archive.resolve().parent.glob(f"{name}_v*.zip"))
        if zips and not (bundle.parent / name).exists():
            with tempfile.TemporaryDirectory(prefix="verify-") as folder:
                unpack(zips[-1], Path(folder), max_bytes)
                if (Path(folder) / name).is_dir():
                    shutil.move(str(Path(folder) / name), bundle.parent / name)


def _bundle_root(folder: Path, path: Path) -> Path:
    # A folder without metadata but with a bundle's other parts is a bundle that lacks metadata: its checks say so.
    if any((folder / name).is_file() for name in _METADATA) or (folder / "configs").is_dir():
        return folder
    raise CannotRun(
        f"{path} holds no MONAI bundle", "it needs configs/metadata.json (or metadata.json, on Hugging Face)"
    )
