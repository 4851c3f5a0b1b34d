"""metadata.json: its schema, versions and what it says of the content."""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from ..bundle import Bundle
from ..config_files import ConfigError, lookup, strings
from ..content import content_hash, released_key, sha1_of
from ..expressions import imported, parse_expression
from ..options import Options
from ..outcome import CannotRun, Problem, Skip, warning
from ..registry import check

SCHEMAS = Path(__file__).parents[1] / "schemas"
NEWEST = "meta_schema_20240725.json"
_BASE = {"monai", "torch", "numpy"}
# Distributions whose modules are called otherwise, for those that are not installed here.
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "ignite": "pytorch-ignite",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


@check("metadata.readable", "metadata.json can be read", after=("files.layout",), zoo=True)
def readable(bundle: Bundle, options: Options) -> Iterator[Problem]:
    try:
        _ = bundle.metadata
    except ConfigError as error:
        yield Problem(str(error), "write one JSON object, each key once")


@check("metadata.schema", "metadata.json follows MONAI's schema", needs=("bundle", "metadata"), zoo=True)
def schema(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    named = str(bundle.metadata.get("schema", "")).rpartition("/")[2]
    content = json.loads((SCHEMAS / NEWEST).read_text("utf-8"))
    if named != NEWEST and "optional_packages_version" in bundle.metadata:
        # The 2022 schema, which most of the zoo names, asks for this key where the newer one asks for the other.
        content["required"] = [key for key in content["required"] if key != "required_packages_version"]
        yield f"names {named}; checked by {NEWEST}, with optional in place of required packages"
    validator = jsonschema.Draft201909Validator(content)
    for error in sorted(validator.iter_errors(bundle.metadata), key=lambda e: [str(p) for p in e.absolute_path]):
        where = "#".join(str(p) for p in error.absolute_path)
        yield Problem(f"{where or 'metadata.json'}: {error.message[:300]}", f"write it as {NEWEST} asks")


@check("metadata.version", "the version is one, and the changelog's newest", needs=("metadata",), zoo=True)
def version(bundle: Bundle, options: Options) -> Iterator[Problem]:
    own, changelog = bundle.metadata.get("version"), bundle.metadata.get("changelog")
    if not isinstance(own, str) or not re.fullmatch(r"\d+\.\d+\.\d+(?:[-.+]?[0-9A-Za-z.-]+)?", own):
        yield Problem(f"version is {own!r}", 'write a semantic version, such as "0.1.0"')
        return
    if not isinstance(changelog, dict) or not changelog:
        yield Problem("there is no changelog", f'add "changelog": {{"{own}": "what is new"}}')
    elif own not in changelog:
        yield Problem(f"the changelog has no line for version {own}", "say there what is new")
    elif (known := _version(own)) and any((v := _version(str(key))) and v > known for key in changelog):
        newest = max((str(k) for k in changelog if _version(str(k))), key=Version)
        yield Problem(f"the changelog goes to {newest}, version is {own}", "raise version to the newest line")


@check("metadata.released", "a changed content has a new version", needs=("metadata",), zoo=True)
def released(bundle: Bundle, options: Options) -> Iterator[Problem | str]:
    own = content_hash(bundle)
    key = released_key(bundle)
    if options.released is None:
        raise Skip(f"no list of released versions was given (--released); content {own}")
    try:
        index = json.loads(options.released.read_text("utf-8"))
        entry = index.get(key)
    except (OSError, ValueError, AttributeError) as error:
        raise CannotRun(
            f"{options.released} cannot be read ({error})", "give a JSON object of released versions"
        ) from error
    if entry is None:
        yield f"{key} is new; content {own}"
    elif not isinstance(entry, dict) or not ({"content", "checksum"} & set(entry)):
        yield warning(f"{options.released.name} holds no hash of {key}", "record it: --record FILE")
    elif "content" in entry:
        if entry["content"] != own:
            yield Problem(
                f"{key} was released with other content", "raise version and say in the changelog what is new"
            )
    elif bundle.archive is None:
        yield Problem(
            f"{key} is released already", "raise version and say in the changelog what is new, or verify the zip"
        )
    elif entry["checksum"] != sha1_of(bundle.archive):
        yield Problem(f"{key} was released as another file", "raise version and say in the changelog what is new")


@check("metadata.packages", "every package has a version that can be installed", needs=("bundle", "metadata"))
def packages(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for name, wanted in _packages(bundle).items():
        if _version(str(wanted)) is None:
            yield Problem(
                f"{name} has the version {wanted!r}", "give one exact version: the zoo's CI installs name==version"
            )


@check("metadata.imports", "what configs and code import is named in metadata", needs=("bundle", "metadata"))
def imports(bundle: Bundle, options: Options) -> Iterator[Problem]:
    named = {canonicalize_name(n) for n in _packages(bundle)} | _BASE
    known = set(sys.stdlib_module_names) | bundle.packages | _BASE | {"__future__"}
    missing: dict[str, str] = {}
    for module, where in _imported(bundle).items():
        if module not in known and not _distributions(module) & named:
            missing[module] = where
    for module, where in missing.items():
        names = sorted(_distributions(module))
        yield warning(
            f"{where} needs {module}, which neither metadata names nor the bundle holds",
            f"name {names[0]} and its version in required_packages_version",
        )


@check("metadata.tensors", "inputs and outputs are told apart and their channels named", needs=("bundle", "metadata"))
def tensors(bundle: Bundle, options: Options) -> Iterator[Problem]:
    for section, wanted in (("inputs", "image"), ("outputs", "pred")):
        names = list(bundle.tensors(section))
        if names and wanted not in names:
            yield warning(
                f"network_data_format#{section} is called {', '.join(names)}", f"call it {wanted}: MONAI looks there"
            )
    shown = [s.get("channel_def") for s in bundle.tensors("post_processed_outputs").values()]
    for section in ("inputs", "outputs", "post_processed_outputs"):
        for name, spec in bundle.tensors(section).items():
            count, channels = spec.get("num_channels"), spec.get("channel_def")
            if not isinstance(channels, dict) or not channels or not isinstance(count, int):
                continue
            where = f"network_data_format#{section}#{name}#channel_def"
            if sorted(channels) != sorted(str(i) for i in range(len(channels))):
                yield Problem(f"{where} does not count from 0", 'write {"0": ..., "1": ...}')
            # Values of a label map or classes of boxes are more than its channels, and MONAI Label reads them from
            # `outputs` although they belong to what comes after.
            elif len(channels) != count and count > 1 and spec.get("type") != "object" and channels not in shown:
                yield Problem(f"{where} names {len(channels)} channels, num_channels is {count}", "make them agree")


def _imported(bundle: Bundle) -> dict[str, str]:
    """First part of every module that something imports, with the first place that does."""
    found: dict[str, str] = {}
    for name in bundle.modules.values():
        try:
            modules = imported(parse_expression(bundle.text(name)))
        except SyntaxError:
            continue
        for module in modules:
            found.setdefault(module, name)
    for name in bundle.config_names:
        try:
            content = bundle.read(name)
        except ConfigError:
            continue
        for id, text in strings(content):
            if id.split("#")[-1] == "_target_" and "." in text and not text.startswith(("@", "$")):
                found.setdefault(text.split(".")[0], name)
            elif id.startswith("imports#"):
                try:
                    modules = imported(parse_expression(text))
                except SyntaxError:
                    continue
                for module in modules:
                    found.setdefault(module, name)
    return found


@cache
def _installed() -> Any:
    return importlib.metadata.packages_distributions()


def _distributions(module: str) -> set[str]:
    names = {*_installed().get(module, ()), _DISTRIBUTIONS.get(module, module)}
    return {canonicalize_name(n) for n in names}


def _packages(bundle: Bundle) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("required_packages_version", "optional_packages_version"):
        section = bundle.metadata.get(key)
        found |= section if isinstance(section, dict) else {}
    for name in _BASE:
        try:
            found[name] = lookup(bundle.metadata, f"{'pytorch' if name == 'torch' else name}_version")
        except KeyError:
            continue
    return found


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
