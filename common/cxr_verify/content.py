"""One hash of all that a bundle holds, and the list of released versions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .bundle import Bundle
from .outcome import CannotRun


def content_hash(bundle: Bundle) -> str:
    """sha256 over names and contents of all files: the same for a folder and its zip."""
    total = hashlib.sha256()
    for name, path in sorted(bundle.files.items()):
        if path.is_file() and "__pycache__/" not in name:
            total.update(f"{name}\0{_digest(path, 'sha256')}\n".encode())
    return total.hexdigest()


def sha1_of(path: Path) -> str:
    """What the zoo's model_info.json calls the checksum of a zip."""
    return _digest(path, "sha1")


def released_key(bundle: Bundle) -> str:
    """Name under which the zoo lists a version."""
    return f"{bundle.name}_v{bundle.metadata.get('version')}"


def record(bundle: Bundle, index: Path) -> None:
    """Add a bundle's content, and its zip's checksum, to a list of released versions.

    Raises:
        ValueError: if the list holds this version with other content.
        CannotRun: if it is no such list, or cannot be written.
    """
    known = _released(index) if index.exists() else {}
    entry = {"content": content_hash(bundle)} | ({"checksum": sha1_of(bundle.archive)} if bundle.archive else {})
    key = released_key(bundle)
    if key in known and known[key].get("content", entry["content"]) != entry["content"]:
        raise ValueError(f"{key} was released with other content")
    known[key] = known.get(key, {}) | entry
    write_whole(index, json.dumps(known, indent=4, sort_keys=True) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Write a file whole, or not at all.

    Raises:
        CannotRun: if it cannot be written.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        temporary.write_text(text, "utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise CannotRun(
            f"{path} cannot be written ({error.strerror})", "name a file in a folder that is there"
        ) from error


def _released(index: Path) -> dict[str, dict[str, str]]:
    try:
        known = json.loads(index.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CannotRun(f"{index} cannot be read ({error})", "give a JSON object of released versions") from error
    if not isinstance(known, dict) or not all(isinstance(entry, dict) for entry in known.values()):
        raise CannotRun(f"{index} is no list of released versions", "give a JSON object of released versions")
    return known


def _digest(path: Path, kind: str) -> str:
    digest = hashlib.new(kind)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
