"""Find the radiographs of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from cxr_common.errors import InputError

#: What lies beside radiographs and is none of them.
SIDECAR_SUFFIXES = frozenset(
    {".csv", ".tsv", ".json", ".txt", ".md", ".html", ".htm", ".xml", ".yaml", ".yml", ".log", ".ini"}
)
SIDECAR_NAMES = frozenset({"dicomdir", "thumbs.db", "desktop.ini", "license", "readme"})
#: Pixels of a header file of the same name.
_DETACHED = {".raw": (".mhd", ".nhdr"), ".zraw": (".mhd",), ".gz": (".nhdr",)}


def find_radiographs(path: str | os.PathLike[str]) -> list[dict[str, str]]:
    """List the image files of a folder and of the folders in it.

    Hidden files and folders, texts and tables (`SIDECAR_SUFFIXES`, `SIDECAR_NAMES`) are passed over. Everything else
    is listed, whatever its suffix: DICOM files often have none, and a file that cannot be read shall be reported.

    Args:
        path: a folder, or one file, which is listed in any case.

    Returns:
        ``[{"image": absolute path}]``, sorted by path.

    Raises:
        InputError: there is no such folder or file, or the folder holds no candidate.
    """
    root = Path(path).expanduser().absolute()
    if not root.exists():
        raise InputError("there is no such file or folder", path, "check the path")
    if not root.is_dir():
        return [{"image": str(root)}]
    found: list[Path] = []
    # A folder that cannot be listed is listed itself, so that reading it reports it.
    for folder, folders, files in os.walk(root, onerror=lambda error: found.append(Path(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found.extend(Path(folder, name) for name in files if _is_candidate(name, files))
    if not found:
        raise InputError("the folder holds no image file", path, "give a folder with radiographs")
    return [{"image": str(file)} for file in sorted(found)]


def _is_candidate(name: str, beside: list[str]) -> bool:
    lower = name.lower()
    if lower.startswith((".", "~$")) or lower in SIDECAR_NAMES:
        return False
    stem, suffix = os.path.splitext(lower)
    if suffix in _DETACHED:
        headers = {os.path.splitext(stem)[0] if suffix == ".gz" else stem}
        if any(other.lower() == h + s for other in beside for h in headers for s in _DETACHED[suffix]):
            return False
    return suffix not in SIDECAR_SUFFIXES
