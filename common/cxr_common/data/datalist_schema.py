"""What a datalist's items may hold.

A datalist is one JSON object: ``labels`` (class names) and the sections ``training``, ``validation``, ``testing`` and
``localisation`` (images with boxes that are scored apart from ``testing`` and that nothing learns from), each a list of
items. Keys of an item:

=============  =====================================================================================================
``image``      path relative to the data set root, with forward slashes; required
``patient``    identifier, text or integer
``group``      what splits keep together; default ``patient``
``label``      one value a class: 1 present, 0 absent, -1 uncertain, null not annotated
``boxes``      list of [x0, y0, x1, y1], half-open, pixels of the original image; [] = annotated, none found
``box_labels`` one class index a box
``box_findings`` one name a box, as the source calls it; where it is finer than the class
``chest``      [x0, y0, x1, y1] around lungs and heart, pixels of the original image
``findings``   names of the findings that the source says are present; [] = none; where they are finer than the labels
``mask``       class name -> path, or null = annotated, empty; a class not listed is not annotated
``mask_origin`` ``expert`` or ``pseudo``
``heatmap``    path of an .npz
``label_map``  path of a palette PNG of classes that do not overlap: 0 background, i + 1 label i, 255 void (not scored)
=============  =====================================================================================================

A key that is absent means *not annotated*. Other keys pass through. Paths that lead out of the data set root (``../``)
need ``outside: true`` beside ``labels``; links are followed, for they are the work of whoever has the folder.
"""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Any

#: What a data set is split into.
SPLITS: tuple[str, ...] = ("training", "validation", "testing")
SECTIONS: tuple[str, ...] = (*SPLITS, "localisation")
LABEL_VALUES = (1, 0, -1)
MASK_ORIGINS = ("expert", "pseudo")
#: Keys that hold the path of one file.
FILES = ("image", "heatmap", "label_map")


@dataclass(frozen=True)
class Problem:
    """One departure from the format.

    Attributes:
        where: section, index and field, such as ``training[3].boxes[0]``.
        reason: what is wrong there.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number; true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def item_paths(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, path) for every file that an item names."""
    for field in FILES:
        if isinstance(item.get(field), str):
            yield field, item[field]
    mask = item.get("mask")
    if isinstance(mask, Mapping):
        for name, path in mask.items():
            if isinstance(path, str):
                yield f"mask[{name!r}]", path


def item_problems(where: str, item: Mapping[str, Any], labels: list[str]) -> Iterator[Problem]:
    """Check the fields of one item, each by itself.

    Args:
        where: place of the item, such as ``training[3]``.
        item: the item.
        labels: class names of the datalist.

    Yields:
        What breaks the format, field by field.
    """
    if "image" not in item:
        yield Problem(f"{where}.image", "is missing")
    for field in FILES:
        if field in item:
            yield from _path(f"{where}.{field}", item[field])
    for field in ("patient", "group"):
        if field in item and (isinstance(item[field], bool) or not isinstance(item[field], (str, int))):
            yield Problem(f"{where}.{field}", f"is {item[field]!r}, not text or an integer")
    if "label" in item:
        yield from _label(f"{where}.label", item["label"], len(labels))
    yield from _boxes(where, item, len(labels))
    if "chest" in item and (reason := _box_fault(item["chest"])):
        yield Problem(f"{where}.chest", reason)
    for field in ("box_findings", "findings"):
        if field in item and not _is_names(item[field]):
            yield Problem(f"{where}.{field}", f"is {item[field]!r}, not a list of names")
    if "mask" in item:
        yield from _mask(f"{where}.mask", item["mask"], labels)
    if "mask_origin" in item and item["mask_origin"] not in MASK_ORIGINS:
        yield Problem(f"{where}.mask_origin", f"is {item['mask_origin']!r}, not one of {', '.join(MASK_ORIGINS)}")


def _path(where: str, path: Any) -> Iterator[Problem]:
    if not isinstance(path, str) or not path.strip():
        yield Problem(where, f"is {path!r}, not a path")
    elif posixpath.isabs(path) or PureWindowsPath(path).drive:
        yield Problem(where, f"{path!r} is absolute, but paths are relative to the data set root")
    elif "\\" in path:
        yield Problem(where, f"{path!r} has a backslash; write forward slashes")


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value)


def _label(where: str, label: Any, count: int) -> Iterator[Problem]:
    if not isinstance(label, list):
        yield Problem(where, f"is {json_kind(label)}, not a list of {count} values")
    elif len(label) != count:
        yield Problem(where, f"has {len(label)} values for {count} labels")
    else:
        for i, value in enumerate(label):
            if value is not None and not (is_number(value) and value in LABEL_VALUES):
                yield Problem(f"{where}[{i}]", f"is {value!r}, not 1, 0, -1 or null")


def _boxes(where: str, item: Mapping[str, Any], count: int) -> Iterator[Problem]:
    boxes, classes = item.get("boxes", []), item.get("box_labels", [])
    if not isinstance(boxes, list) or not isinstance(classes, list):
        field, value = ("boxes", boxes) if not isinstance(boxes, list) else ("box_labels", classes)
        yield Problem(f"{where}.{field}", f"is {json_kind(value)}, not a list")
        return
    if "box_labels" in item and "boxes" not in item:
        yield Problem(f"{where}.box_labels", "is given without boxes")
    elif len(boxes) != len(classes):
        yield Problem(f"{where}.box_labels", f"has {len(classes)} entries for {len(boxes)} boxes")
    names = item.get("box_findings")
    if isinstance(names, list) and len(names) != len(boxes):
        yield Problem(f"{where}.box_findings", f"has {len(names)} entries for {len(boxes)} boxes")
    for i, box in enumerate(boxes):
        if reason := _box_fault(box):
            yield Problem(f"{where}.boxes[{i}]", reason)
    for i, index in enumerate(classes):
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < count:
            yield Problem(f"{where}.box_labels[{i}]", f"is {index!r}, not a class index 0 to {count - 1}")


def _box_fault(box: Any) -> str | None:
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


def _mask(where: str, mask: Any, labels: list[str]) -> Iterator[Problem]:
    if not isinstance(mask, Mapping):
        yield Problem(where, f"is {json_kind(mask)}, not an object of class name to path")
        return
    for name, path in mask.items():
        if name not in labels:
            yield Problem(where, f"{name!r} is not one of the labels")
        if path is not None:
            yield from _path(f"{where}[{name!r}]", path)


def json_kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")
