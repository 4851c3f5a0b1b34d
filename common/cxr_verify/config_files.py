"""Reads and merges configs as MONAI does, but never evaluates what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 5 * 1024**2
MAX_ITEMS = 200_000
_SEPARATOR = re.compile(r"#|::")
_REFERENCE = re.compile(r"@(?:#|::)*\w+(?:(?:#|::)\w+)*")


class ConfigError(ValueError):
    """A config cannot be read or merged; the message says which and why."""


class _Loader(yaml.SafeLoader):
    """Plain data only, every key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        if isinstance(node, yaml.MappingNode):
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for key in keys:
                if keys.count(key) > 1:
                    raise ConfigError(f"the key {key!r} is there twice (line {node.start_mark.line + 1})")
        return super().construct_mapping(node, deep)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ConfigError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a JSON or YAML file.

    Raises:
        ConfigError: if it cannot be read, is none, is too large or names a key twice.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path.name} is larger than {MAX_BYTES >> 20} MB")
        text = path.read_text("utf-8")
        content = json.loads(text, object_pairs_hook=_pairs) if path.suffix == ".json" else yaml.load(text, _Loader)
    except ConfigError as error:
        raise ConfigError(f"{path.name}: {error}") from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path.name} cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name} holds no mapping")
    sum(1 for _ in walk(content))  # YAML's aliases can make a small file endless
    return content


def walk(content: Any, id: str = "") -> Iterator[tuple[str, Any]]:
    """Every item with its id (`a#0#b`), the whole first. Raises `ConfigError` for more than can be sensible."""
    waiting, count = [(id, content, 0)], 0
    while waiting:
        id, item, depth = waiting.pop()
        count += 1
        if count > MAX_ITEMS or depth > 100:
            raise ConfigError("too many nested items")
        yield id, item
        pairs = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
        waiting += reversed([(f"{id}#{key}" if id else str(key), value, depth + 1) for key, value in pairs])


def strings(content: Any) -> Iterator[tuple[str, str]]:
    """Every string with its id."""
    return ((id, item) for id, item in walk(content) if isinstance(item, str))


def references(text: str) -> list[str]:
    """The ids that MONAI sees in a string: the whole string, or any in a `$` expression."""
    found = [match[1:] for match in _REFERENCE.findall(text)]
    return found if text.startswith("$") or [f"@{f}" for f in found] == [text] else []


def absolute(reference: str, id: str) -> str:
    """A reference's full id; one that begins with separators is relative to the item it stands in."""
    levels = re.match(r"(?:#|::)*", reference)
    up = len(_SEPARATOR.findall(levels.group() if levels else ""))
    name = "#".join(p for p in _SEPARATOR.split(reference) if p)
    return "#".join([*id.split("#")[:-up], name]) if up else name


def lookup(content: Any, id: str) -> Any:
    """The item of an id; raises `KeyError`."""
    for part in _SEPARATOR.split(id):
        if isinstance(content, list) and part.isdigit() and int(part) < len(content):
            content = content[int(part)]
        elif isinstance(content, dict) and part in content:
            content = content[part]
        else:
            raise KeyError(id)
    return content


def has(content: Any, id: str) -> bool:
    """Whether an id is there."""
    try:
        lookup(content, id)
    except KeyError:
        return False
    return True


def merge(configs: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Several configs, each an overlay on those before: `a#b` goes one level down, `+a` adds to a list or mapping.

    Args:
        configs: name and content of each.

    Raises:
        ConfigError: if an overlay goes into something that is not a section, or adds to what cannot be added to.
    """
    merged: dict[str, Any] = {}
    for name, content in configs:
        for key, value in content.items():
            try:
                _put(merged, str(key), value)
            except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
                raise ConfigError(f"{name}: {key} does not fit what it is laid over") from error
    return merged


def _put(section: Any, key: str, value: Any) -> None:
    adds = key.startswith("+")
    *parents, last = _SEPARATOR.split(key.removeprefix("+"))
    for part in parents:
        if isinstance(section, dict):
            # Sections are copied when they are gone into: the files' own contents stay as they were read.
            section[part] = section[part].copy() if part in section else {}
            section = section[part]
        else:
            section[int(part)] = section[int(part)].copy()
            section = section[int(part)]
    place: Any = last if isinstance(section, dict) else int(last)
    if not isinstance(section, dict | list):
        raise TypeError(key)
    if not adds or (isinstance(section, dict) and last not in section):
        section[place] = value
    elif isinstance(section[place], dict):
        section[place] = {**section[place], **value}
    else:
        section[place] = [*section[place], *value]
