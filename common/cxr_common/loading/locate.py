"""Where a bundle lies that is asked for by its name, its folder, its zip or the address of its zip."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import cache_folder, file_sha256
from cxr_common.loading.download import checked_sha256, download, new_file
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
            those that the environment's CXR_BUNDLES lists, in ``bundles`` below the working directory, in the
            checkout that this package was installed from, or in the cache; or the address of a zip with its hash,
            ``https://host/NAME.zip#sha256=HASH``, which is fetched once.

    Raises:
        InputError: there is none, or the zip cannot be fetched or used.
    """
    if "://" in str(bundle):
        address, _, hash = str(bundle).partition("#sha256=")
        return get_bundle(address, hash)
    path = Path(bundle).expanduser()
    if path.is_file():
        return _unpacked(path, file_sha256(path))
    if path.is_dir():
        if (path / _CONFIG).is_file():
            return path
        raise InputError(
            "is not a bundle for inference: it has no configs/inference.json", path, "name a bundle's folder"
        )
    known = known_bundles()
    if path.name == str(bundle) and path.name in known:
        return known[path.name]
    guess = nearest(path.name, known)
    action = f"did you mean {guess}? Or" if guess else f"known bundles: {', '.join(sorted(known)) or 'none'};"
    raise InputError("there is no such bundle", bundle, f"{action} name its folder or zip, or fetch it by cxr get")


def known_bundles() -> dict[str, Path]:
    """Name -> folder of all bundles that are found by their names."""
    return {folder.name: folder for folder in reversed([*_listed()])}


def get_bundle(url: str, sha256: str) -> Path:
    """Fetch the zip of a bundle into the user's cache, unless its content is there.

    Args:
        url: http or https address of the zip.
        sha256: hash of the zip, 64 hexadecimal digits.

    Returns:
        The bundle's folder. From now on its name finds it too, where no nearer folder has it.

    Raises:
        InputError: it cannot be fetched, or has another hash; nothing stays behind.
    """
    sha256 = checked_sha256(url, sha256)
    cache = cache_folder() / sha256[:16]
    if cache.is_dir():
        os.utime(cache)  # of several versions a name finds what was asked for last
        return _unpacked(cache, sha256)
    with new_file(cache_folder()) as path:
        download(url, path, sha256, LARGEST)
        return _unpacked(path, sha256, url)


def _listed() -> Iterator[Path]:
    """Folders of bundles by falling precedence."""
    listed = [Path(folder) for folder in os.environ.get(VARIABLE, "").split(os.pathsep) if folder]
    newest = sorted((p for p in cache_folder().glob("*") if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for place in (*listed, Path("bundles"), Path(__file__).resolve().parents[3] / "bundles", *newest):
        yield from sorted(config.parents[1] for config in place.glob(f"*/{_CONFIG.as_posix()}"))


def _unpacked(archive: Path, sha256: str, where: object = None) -> Path:
    """The folder of a zip's content in the user's cache; unpacked once for each content."""
    home, where = cache_folder(), where or archive
    cache = home / sha256[:16]
    if not cache.is_dir():
        try:
            home.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=home) as folder, zipfile.ZipFile(archive) as content:
                if sum(file.file_size for file in content.infolist()) > LARGEST:
                    raise InputError(f"unpacks to more than {LARGEST >> 30} GiB", where, "name the zip of one bundle")
                new = Path(folder) / "new"
                content.extractall(new)  # names such as ../x stay inside
                if _bundle_in(new) is None:
                    reason = "holds no bundle: no configs/inference.json is in it"
                    raise InputError(reason, where, "name the zip of one bundle")
                with suppress(FileExistsError):  # another process was faster
                    new.rename(cache)
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"cannot be unpacked ({error})", where, "fetch it again, or unpack it yourself") from error
    return _bundle_in(cache) or cache


def _bundle_in(folder: Path) -> Path | None:
    configs = sorted(folder.glob(f"*/{_CONFIG.as_posix()}")) or sorted(folder.glob(_CONFIG.as_posix()))
    return configs[0].parents[1] if configs else None
