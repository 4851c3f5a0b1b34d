"""A bundle that carries its code already, as it came out of a zip, packed once more, such as with other weights."""

from __future__ import annotations

import re
from pathlib import Path

from cxr_common.errors import InputError

_PARTS = ("configs", "docs", "models")
_ALONE = ("LICENSE", "NOTICE", "requirements.txt", "requirements-train.txt")
_TEXTS = (".py", ".json", ".yaml", ".conf", ".md", "")


def carried_code(bundle: Path) -> str | None:
    """Name of the package that a packed bundle carries; None where it carries none."""
    found = [path.parent.name for path in bundle.glob("*_v*/__init__.py") if (path.parent / "errors.py").is_file()]
    if len(found) > 1:
        raise InputError(
            f"carries code twice: {', '.join(sorted(found))}", bundle, "remove what its configs do not name"
        )
    return found[0] if found else None


def files_again(bundle: Path, code: str, name: str) -> dict[str, bytes]:
    """The files of such a bundle, path -> content: those that belong to it, the code under the name of its version.

    Args:
        bundle: its folder; results and data that lie there too are left out.
        code: name of the package that it carries.
        name: the new name.
    """
    found = {}
    old = re.compile(rf"\b{code}\b")
    for path in sorted(bundle.rglob("*")):
        place = path.relative_to(bundle)
        if not path.is_file() or any(part.startswith(".") or part == "__pycache__" for part in place.parts):
            continue
        if place.parts[0] not in (*_PARTS, code, *_ALONE) or (place.parts[0] in _ALONE and len(place.parts) > 1):
            continue
        if place.parts[0] == "models" and path.suffix not in (".pt", ".json"):
            continue
        content = path.read_bytes()
        if path.suffix in _TEXTS:
            content = old.sub(name, content.decode("utf-8")).encode()
        found["/".join((name if place.parts[0] == code else place.parts[0], *place.parts[1:]))] = content
    return found
