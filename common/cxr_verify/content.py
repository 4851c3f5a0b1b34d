"""One hash of all that a bundle holds, and the list of released versions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from .bundle import Bundle


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
        ValueError: if the list holds this version with other content, or is none.
    """
    known = json.loads(index.read_text("utf-8")) if index.exists() else {}
    entry = {"content": content_hash(bundle)} | ({"checksum": sha1_of(bundle.archive)} if bundle.archive else {})
    key = released_key(bundle)
    if key in known and known[key].get("content", entry["content"]) != entry["content"]:
        raise ValueError(f"{key} was released with other content")
    known[key] = known.get(key, {}) | entry
    temporary = index.with_name(index.name + ".part")
    temporary.write_text(json.dumps(known, indent=4, sort_keys=True) + "\n", "utf-8")
    temporary.replace(index)


def _digest(path: Path, kind: str) -> str:
    digest = hashlib.new(kind)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
