"""Find the radiographs of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from cxr_common.errors import InputError
from cxr_common.files import RUN_FILE, as_path

#: What lies beside radiographs and is none of them.
SIDECAR_SUFFIXES = frozenset(
    {".csv", ".tsv", ".json", ".txt", ".md", ".html", ".htm", ".xml", ".yaml", ".yml", ".log", ".ini"}
)
SIDECAR_NAMES = frozenset({"dicomdir", "thumbs.db", "desktop.ini", "license", "readme"})
#: Record of results -> a key at its beginning.
_RECORDS = {"findings.json": "schema_version", "archive.json": "made_from"}
#: Pixels of a header file of the same name: how their names end, and the header's.
_DETACHED = {
    ".raw": (".mhd", ".nhdr"),
    ".zraw": (".mhd",),
    ".raw.gz": (".nhdr",),
    ".img": (".hdr", ".hdr.gz"),
    ".img.gz": (".hdr", ".hdr.gz"),
}


def find_radiographs(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """List the image files of a folder and of the folders in it.

    Hidden files and folders, texts and tables (`SIDECAR_SUFFIXES`, `SIDECAR_NAMES`) are passed over, and so are folders
    of results (`is_results_folder`). Everything else is listed, whatever its suffix: DICOM files often have none, and
    a file that cannot be read must be reported.

    Linked files and folders are followed. A folder that is reached in several ways is listed once; a link to a folder
    that holds the given one is passed over.

    Args:
        path: a folder, or one file, which is listed in any case. A number, which the command line makes of a folder's
            name of digits, is taken as that name.

    Returns:
        ``[{"image": absolute path}]``, sorted by path. Links stay in the paths.

    Raises:
        InputError: there is no such folder or file, or the folder holds no candidate.
    """
    root = Path(os.path.abspath(as_path(path).expanduser()))
    if not root.exists():
        raise InputError("there is no such file or folder", path, "check the path")
    if not root.is_dir():
        return [{"image": str(root)}]
    found: list[Path] = []
    seen: set[str] = set()
    links = [root]
    while links:  # folders themselves before linked ones, so that what is in the root is listed by its own path
        start = links.pop(0)
        if start == root or not Path(os.path.realpath(root)).is_relative_to(os.path.realpath(start)):
            links += _walk(start, found, seen)
    if not found:
        raise InputError("the folder holds no image file", path, "give a folder with radiographs")
    return [{"image": str(file)} for file in sorted(found)]


def _walk(start: Path, found: list[Path], seen: set[str]) -> list[Path]:
    """Add the candidates below a folder to `found`; return the linked folders below it."""
    links: list[Path] = []
    # A folder that cannot be listed is listed itself, so that reading it reports it.
    for folder, folders, files in os.walk(start, onerror=lambda error: found.append(Path(error.filename))):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        inner = [Path(folder, name) for name in sorted(folders) if not name.startswith(".")]
        inner = [path for path in inner if not is_results_folder(path)]
        links += [path for path in inner if path.is_symlink()]
        folders[:] = [path.name for path in inner if not path.is_symlink()]
        found.extend(Path(folder, name) for name in files if _is_candidate(name, files))
    return links


def is_results_folder(folder: Path) -> bool:
    """Whether a run of a bundle writes, or wrote, into a folder, whose pictures are then no radiographs."""
    if (folder / RUN_FILE).exists():
        return True
    return any(_begins_with(folder / name, key) for name, key in _RECORDS.items())


def _begins_with(path: Path, key: str) -> bool:
    try:
        with open(path, encoding="utf-8") as file:
            return f'"{key}"' in file.read(200)
    except (OSError, ValueError):
        return False


def _is_candidate(name: str, beside: list[str]) -> bool:
    lower = name.lower()
    if lower.startswith((".", "~$")) or lower in SIDECAR_NAMES:
        return False
    headers = {lower.removesuffix(end) + h for end, all in _DETACHED.items() if lower.endswith(end) for h in all}
    if headers and any(other.lower() in headers for other in beside):
        return False
    return Path(lower).suffix not in SIDECAR_SUFFIXES
