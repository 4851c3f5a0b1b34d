"""What can be wrong with a value of a datalist's item, in words that a user understands.

Each takes the value and the datalist's class names, and returns None where the value is what its docstring says.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Any

LABEL_VALUES = (1, 0, -1)
MASK_ORIGINS = ("expert", "pseudo")


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def json_kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def path_fault(path: Any, _labels: list[str]) -> str | None:
    """A relative path with forward slashes."""
    if not isinstance(path, str) or not path.strip():
        return f"is {path!r}, not a path"
    if posixpath.isabs(path) or PureWindowsPath(path).drive:
        return f"{path!r} is absolute; write it as it goes on from the data set root"
    return f"{path!r} has a backslash; write forward slashes" if "\\" in path else None


def identifier_fault(value: Any, _labels: list[str]) -> str | None:
    """Text or an integer."""
    sound = isinstance(value, (str, int)) and not isinstance(value, bool)
    return None if sound else f"is {value!r}, not text or an integer"


def label_fault(label: Any, labels: list[str]) -> str | None:
    """One value for each class."""
    if not isinstance(label, list):
        return f"is {json_kind(label)}, not a list of {len(labels)} values"
    return None if len(label) == len(labels) else f"has {len(label)} values for {len(labels)} labels"


def label_value_fault(value: Any, _labels: list[str]) -> str | None:
    """1, 0, -1 or null."""
    sound = value is None or (is_number(value) and value in LABEL_VALUES)
    return None if sound else f"is {value!r}, not 1, 0, -1 or null"


def list_fault(value: Any, _labels: list[str]) -> str | None:
    """A list."""
    return None if isinstance(value, list) else f"is {json_kind(value)}, not a list"


def box_fault(box: Any, _labels: list[str]) -> str | None:
    """A box [x0, y0, x1, y1] that is not empty and starts in the image."""
    if not isinstance(box, list) or len(box) != 4 or not all(is_number(v) for v in box):
        return f"is {box!r}, not [x0, y0, x1, y1]"
    x0, y0, x1, y1 = box
    if not all(math.isfinite(v) for v in box):
        return f"{box} is not finite"
    if x0 < 0 or y0 < 0:
        return f"{box} starts outside the image"
    if x1 <= x0 or y1 <= y0:
        return f"{box} is empty or inverted: x1 > x0 and y1 > y0 are needed (is it x, y, width, height?)"
    return None


def class_index_fault(index: Any, labels: list[str]) -> str | None:
    """An index of a class."""
    sound = isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(labels)
    return None if sound else f"is {index!r}, not a class index 0 to {len(labels) - 1}"


def names_fault(value: Any, _labels: list[str]) -> str | None:
    """A list of names."""
    sound = isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)
    return None if sound else f"is {value!r}, not a list of names"


def mask_fault(mask: Any, labels: list[str]) -> str | None:
    """Class name -> anything."""
    if not isinstance(mask, Mapping):
        return f"is {json_kind(mask)}, not an object of class name to path"
    unknown = [name for name in mask if name not in labels]
    return f"{unknown[0]!r} is not one of the labels" if unknown else None


def origin_fault(value: Any, _labels: list[str]) -> str | None:
    """One of MASK_ORIGINS."""
    return None if value in MASK_ORIGINS else f"is {value!r}, not one of {', '.join(MASK_ORIGINS)}"
