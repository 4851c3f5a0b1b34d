"""The folders of a release: a repository for Hugging Face, and what a pull request to MONAI's model zoo holds."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from cxr_common.errors import InputError
from cxr_verify.checks.files import LARGE
from tools.release.card import HOST, card, front_matter
from tools.release.facts import Hub, read_record, values

#: What an entry of the zoo's hf_models takes over of metadata.json; ci/verify_hf_model.py asks for most of it.
_ENTRY: tuple[str, ...] = ("version", "changelog", "monai_version", "pytorch_version", "numpy_version")
_ENTRY += ("required_packages_version", "supported_apps", "name", "task", "description", "authors", "copyright")
_ENTRY += ("data_source", "data_type", "image_classes", "intended_use", "references")
_SCHEMA = "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/meta_schema_hf_20250321.json"
#: `git push` needs it for weights; the programs of Hugging Face make their own.
_ATTRIBUTES = "*.pt filter=lfs diff=lfs merge=lfs -text\n"


def read_zip(path: Path) -> dict[str, bytes]:
    """The files of a bundle's zip: path in its folder -> content."""
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def repository_files(files: Mapping[str, bytes], hub: Hub, repository: str) -> dict[str, bytes]:
    """A repository of Hugging Face: the packed bundle, and the card in its root.

    Args:
        files: of the packed bundle.
        hub: its section `hub`.
        repository: OWNER/NAME.

    Raises:
        InputError: the result file lacks a figure of the card.
    """
    front = front_matter(repository.rpartition("/")[2], hub, values(hub, read_record(hub)))
    text = f"{front}\n{card(files, _facts(files), repository, 'docs/')}"
    return {**files, "README.md": text.encode(), ".gitattributes": _ATTRIBUTES.encode()}


def model_entry(files: Mapping[str, bytes], repository: str) -> dict[str, bytes]:
    """An entry of the zoo's `hf_models`, which names a model that lies on Hugging Face; arguments as above."""
    facts = _facts(files)
    entry = {"schema": _SCHEMA, **{key: facts[key] for key in _ENTRY}}
    entry |= {"huggingface_model_id": repository, "huggingface_url": f"{HOST}/{repository}"}
    return {
        "README.md": card(files, facts, repository, f"{HOST}/{repository}/blob/main/docs/").encode(),
        "LICENSE": files["LICENSE"],
        "metadata.json": (json.dumps(entry, indent=4, ensure_ascii=False) + "\n").encode(),
    }


def zoo_files(files: Mapping[str, bytes], repository: str, most: int = LARGE) -> dict[str, bytes]:
    """A folder of the zoo's `models`: files that are too large for it are named in large_files.yml instead.

    Args:
        files: of the packed bundle.
        repository: OWNER/NAME on Hugging Face, where these files lie.
        most: bytes that a file may have.
    """
    large = [name for name, content in files.items() if len(content) > most]
    kept = {name: content for name, content in files.items() if name not in large}
    if large:
        place = f"{HOST}/{repository}/resolve/{_facts(files)['version']}"
        listed = [
            {
                "path": name,
                "url": f"{place}/{name}",
                "hash_val": hashlib.sha256(files[name]).hexdigest(),
                "hash_type": "sha256",
            }
            for name in large
        ]
        kept["large_files.yml"] = yaml.safe_dump({"large_files": listed}, sort_keys=False).encode()
    return kept


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write path -> content below a new folder."""
    for name, content in files.items():
        path = folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise InputError(f"cannot be written ({error.strerror})", path, "check space and rights") from error


def _facts(files: Mapping[str, bytes]) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(files["configs/metadata.json"])
    return facts
