"""Where a bundle lies that is asked for by its name, its folder or its zip."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import file_sha256
from cxr_common.start.nearest import nearest

#: Folders of bundles, as PATH lists folders of programs.
VARIABLE = "CXR_BUNDLES"
#: Bytes that a zip may unpack to.
LARGEST = 2 << 30
_CONFIG = Path("configs") / "inference.json"


def find_bundle(bundle: str | os.PathLike[str]) -> Path:
    """Find the folder of a bundle.

    Args:
        bundle: its folder; a zip of it, which is unpacked into the user's cache; or the name of a folder in one of
            those that the environment's CXR_BUNDLES lists, in ``bundles`` below the working directory, or in the
            checkout that this package was installed from.

    Raises:
        InputError: there is none, or the zip cannot be used.
    """
    path = Path(bundle).expanduser()
    if path.is_file():
        return _unpacked(path)
    if path.is_dir():
        if (path / _CONFIG).is_file():
            return path
        raise InputError("is no bundle for inference: it has no configs/inference.json", path, "name a bundle's folder")
    known = {folder.name: folder for folder in reversed([*_listed()])}
    if path.name == str(bundle) and path.name in known:
        return known[path.name]
    guess = nearest(path.name, known)
    action = f"did you mean {guess}?" if guess else f"known bundles: {', '.join(sorted(known)) or 'none'}"
    raise InputError("there is no such bundle", bundle, f"{action}; or name its folder or zip")


def _listed() -> Iterator[Path]:
    """Folders of bundles by falling precedence."""
    listed = [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
    for place in (*listed, Path("bundles"), Path(__file__).resolve().parents[3] / "bundles"):
        yield from sorted(config.parents[1] for config in place.glob(f"*/{_CONFIG.as_posix()}"))


def _unpacked(archive: Path) -> Path:
    """The folder of a zip's content in the user's cache; unpacked once for each content."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cxr-bundles"
    cache = home / file_sha256(archive)[:16]
    if not cache.is_dir():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=home) as folder, zipfile.ZipFile(archive) as content:
                if sum(file.file_size for file in content.infolist()) > LARGEST:
                    raise InputError(f"unpacks to more than {LARGEST >> 30} GiB", archive, "name the zip of one bundle")
                content.extractall(Path(folder) / "new")  # names such as ../x stay inside
                with suppress(FileExistsError):  # another process was faster
                    (Path(folder) / "new").rename(cache)
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(
                f"cannot be unpacked ({error})", archive, "fetch it again, or unpack it yourself"
            ) from error
    configs = sorted(cache.glob(f"*/{_CONFIG.as_posix()}")) or sorted(cache.glob(_CONFIG.as_posix()))
    if not configs:
        raise InputError("holds no bundle: no configs/inference.json is in it", archive, "name the zip of one bundle")
    return configs[0].parents[1]
