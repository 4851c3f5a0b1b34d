"""Which part of `cxr_common` a bundle runs on, and that part under the bundle's own name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import cxr_common

PACKAGE = Path(cxr_common.__file__).parent
_DOTTED = re.compile(r"\bcxr_common((?:\.\w+)*)")

Folder = tuple[str, ...]
"""A folder of the package by its parts; () is the package's own."""


def code_name(bundle: str, version: str) -> str:
    """The name under which a bundle carries its code.

    It has the version in it, so that several bundles, and several versions of one, can be imported by one process.

    Example:
        >>> code_name("cxr_pylon_localization", "0.4.0")
        'cxr_pylon_localization_v0_4_0'
    """
    return f"{bundle}_v{re.sub(r'[^0-9A-Za-z]', '_', version)}"


def folder_of(dotted: str) -> Folder:
    """The folder of a dotted name such as ``.localization.Pylon``; names that are no folders end it."""
    folder: Folder = ()
    for part in dotted.strip(".").split("."):
        if not part or not PACKAGE.joinpath(*folder, part).is_dir():
            break
        folder += (part,)
    return folder


@cache
def _imported_by(folder: Folder) -> frozenset[Folder]:
    """Folders that the modules of one folder import from, anywhere in their text."""
    found: set[Folder] = set()
    for path in PACKAGE.joinpath(*folder).glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif path.name == "__init__.py" and folder and isinstance(node, ast.Constant) and "." in str(node.value):
                names = [".".join(("cxr_common", *folder, str(node.value)))]  # modules that are imported on first use
            found |= {folder_of(name.removeprefix("cxr_common")) for name in names if name.startswith("cxr_common.")}
    return frozenset(found)


def needed_folders(texts: Iterable[str]) -> set[Folder]:
    """Folders of the package that some configs name, and all that these import.

    Whole folders, so that each public name of a room is there for people who change a config.
    """
    waiting: list[Folder] = [()]
    waiting += [folder_of(match[1]) for text in texts for match in _DOTTED.finditer(text)]
    found: set[Folder] = set()
    while waiting:
        folder = waiting.pop()
        for length in range(len(folder) + 1):
            if folder[:length] not in found:
                found.add(folder[:length])
                waiting += _imported_by(folder[:length])
    return found


def renamed(text: str, name: str, folders: set[Folder]) -> str:
    """A text in which the package has a bundle's name, except for mentions of what the bundle does not carry."""

    def replace(match: re.Match[str]) -> str:
        return f"{name}{match[1]}" if folder_of(match[1]) in folders else match[0]

    return _DOTTED.sub(replace, text)


def code_files(name: str, folders: set[Folder]) -> Iterator[tuple[str, bytes]]:
    """The files of these folders, path in the bundle and content, the package renamed."""
    for folder in sorted(folders):
        for path in sorted(PACKAGE.joinpath(*folder).iterdir()):
            if path.is_dir():
                if path.name == "templates":  # no folder of modules
                    yield from ((_place(name, inner), inner.read_bytes()) for inner in sorted(path.iterdir()))
            elif path.suffix == ".py":
                yield _place(name, path), _DOTTED.sub(rf"{name}\1", path.read_text(encoding="utf-8")).encode()
            else:
                yield _place(name, path), path.read_bytes()


def _place(name: str, path: Path) -> str:
    return "/".join((name, *path.relative_to(PACKAGE).parts))
