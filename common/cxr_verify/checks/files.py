"""Files that must be there, and those that must not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from ..bundle import Bundle
from ..config_files import ConfigError
from ..options import Options
from ..outcome import Problem, Skip, warning
from ..registry import check

LARGE = 25 * 1024**2
_LICENCES = re.compile(
    r"Apache License|MIT License|Permission is hereby granted|Redistribution and use in source|GNU .*General Public|"
    r"Mozilla Public License|Creative Commons|Licen[cs]e",
    re.IGNORECASE,
)
_LEFTOVERS = re.compile(
    r"(^|/)(__pycache__|\.ipynb_checkpoints|\.pytest_cache|__MACOSX|\.idea|\.vscode)/|\.py[co]$|(^|/)(\.DS_Store|Thumbs\.db)$|~$"
)
_HASHES = ("md5", "sha1", "sha256", "sha512")


@check("files.layout", "metadata and an inference config are there", needs=("bundle",), zoo=True)
def layout(bundle: Bundle, options: Options) -> Iterator[Problem]:
    if "configs/metadata.json" not in bundle.files:
        yield Problem("configs/metadata.json is not there", "add it: every program reads a bundle's facts from it")
    if bundle.config("inference") is None:
        yield Problem(
            "configs/inference.json (or .yaml, .yml) is not there", "add it, or verify with --skip files.layout"
        )
    if not bundle.own_folder:
        yield Problem(
            "the zip does not hold one folder", f"pack the folder itself, as {bundle.name}/configs/metadata.json"
        )


@check("files.licence", "LICENSE is there and is a licence", zoo=True)
def licence(bundle: Bundle, options: Options) -> Iterator[Problem]:
    if "LICENSE" not in bundle.files:
        yield Problem("LICENSE is not there", "add the licence of code and weights under exactly this name")
    elif not _LICENCES.search(bundle.text("LICENSE")):
        yield Problem("LICENSE holds no licence that is known here", "put the whole text of a licence there")


@check("files.data_licence", "docs/data_license.txt tells on what terms the data were used", needs=("bundle",))
def data_licence(bundle: Bundle, options: Options) -> Iterator[Problem]:
    if not bundle.text("docs/data_license.txt").strip():
        yield warning(
            "docs/data_license.txt is not there or empty", "list the training data's sources, addresses and terms"
        )


@check("files.readme", "a card is there")
def readme(bundle: Bundle, options: Options) -> Iterator[Problem]:
    if not bundle.text(bundle.readme).strip():
        yield Problem(
            "docs/README.md is not there or empty", "write what the model does, on what data, how well, for what use"
        )


@check("files.weights", "models/model.pt is there, or large_files names it", needs=("bundle",), zoo=True)
def weights(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    if bundle.weights:
        if bundle.weights != "models/model.pt":
            yield warning(
                f"the weights are {bundle.weights}", "name them models/model.pt: MONAI Label and the zoo look there"
            )
    elif any(str(entry.get("path", "")).endswith(".pt") for entry in _entries(bundle)):
        yield "named in large_files, not downloaded here: checks of weights are skipped"
    else:
        yield Problem("models/model.pt is not there", "add it, or a large_files.yml that says where it can be had")


@check("files.size", "no file is over 25 MB, the zoo's limit", needs=("bundle",))
def size(bundle: Bundle, options: Options) -> Iterator[Problem]:
    if bundle.archive:
        raise Skip("the limit is for repositories; a packed bundle holds its weights")
    listed = {str(entry.get("path")) for entry in _entries(bundle)}
    for name, path in bundle.files.items():
        if path.is_file() and path.stat().st_size > LARGE and name not in listed:
            megabytes = path.stat().st_size / 1024**2
            yield warning(f"{name} has {megabytes:.0f} MB", "host it and name it in large_files.yml for the zoo")


@check(
    "files.large_files", "large_files says where large files are, and those here are these", needs=("bundle",), zoo=True
)
def large_files(bundle: Bundle, options: Options) -> Iterator[Problem]:
    name = _large_files(bundle)
    if name is None:
        raise Skip("no large_files")
    try:
        entries = _entries(bundle, strict=True)
    except ConfigError as error:
        yield Problem(str(error), "write it as a list `large_files` of path, url, hash_val and hash_type")
        return
    for entry in entries:
        yield from _entry_problems(bundle, name, entry)


def _entry_problems(bundle: Bundle, name: str, entry: dict[str, Any]) -> Iterator[Problem]:
    path, url = str(entry.get("path", "")), str(entry.get("url", ""))
    value, kind = str(entry.get("hash_val") or ""), str(entry.get("hash_type") or "")
    pure = PurePosixPath(path)
    if not path or pure.is_absolute() or ".." in pure.parts or "\\" in path:
        yield Problem(f"{name}: the path {path!r} leaves the bundle", "give a path inside it, such as models/model.pt")
        return
    if not re.match(r"https?://[^/\s]+/", url):
        yield Problem(f"{name}: {path} has no address that can be downloaded ({url!r})", "give its https address")
    if not value:
        yield warning(f"{name}: {path} has no hash", "give hash_val and hash_type, so that a changed file is noticed")
    elif kind not in _HASHES:
        yield Problem(f"{name}: {path} has the hash_type {kind!r}", f"take one of {', '.join(_HASHES)}")
    elif len(value) != 2 * hashlib.new(kind).digest_size or not re.fullmatch(r"[0-9a-fA-F]+", value):
        yield Problem(f"{name}: the hash of {path} is no {kind}", "write the hash of the hosted file")
    elif path in bundle.files:
        with bundle.files[path].open("rb") as file:
            digest = hashlib.new(kind)
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        if digest.hexdigest() != value.lower():
            yield Problem(
                f"{path} is not the file that {name} names: its {kind} differs", "download it again or renew the hash"
            )


@check("files.leftovers", "nothing is there that belongs to no bundle, and no link leads out of it")
def leftovers(bundle: Bundle, options: Options) -> Iterator[Problem]:
    found = [name for name in bundle.files if _LEFTOVERS.search(name)]
    if found:
        yield warning(f"leftovers of programs: {', '.join(found[:5])}", "delete them")
    for name, path in bundle.files.items():
        if path.is_symlink() and not path.resolve().is_relative_to(bundle.root):
            if path.exists() and "blobs" in path.resolve().parts:
                continue  # Hugging Face's cache keeps files beside a snapshot
            yield Problem(f"{name} is a link that leads out of the bundle", "put the file itself there")


def _large_files(bundle: Bundle) -> str | None:
    return next((n for s in (".yml", ".yaml", ".json") if (n := f"large_files{s}") in bundle.files), None)


def _entries(bundle: Bundle, strict: bool = False) -> list[dict[str, Any]]:
    name = _large_files(bundle)
    if name is None:
        return []
    try:
        entries = bundle.read(name).get("large_files")
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise ConfigError(f"{name} has no list of files")
        return entries
    except ConfigError:
        if strict:
            raise
        return []
