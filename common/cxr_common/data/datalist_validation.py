"""Check a whole datalist: its sections, every item, leaks between splits, and the files it names."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_faults import is_number, json_kind
from cxr_common.data.datalist_schema import (
    LONGEST_LABEL,
    SECTIONS,
    Problem,
    item_paths,
    item_problems,
)


def validate_datalist(
    data: Any, base_dir: str | Path | None = None, check_files: bool = True, sections: tuple[str, ...] = SECTIONS
) -> list[Problem]:
    """Find everything that is wrong with a datalist.

    Args:
        data: the parsed JSON.
        base_dir: data set root that paths are relative to; needed to check files.
        check_files: whether images, masks and heatmaps must exist under ``base_dir``, and boxes lie in their image
            (by :func:`~cxr_common.data.image_size.upright_size`).
        sections: where files are looked for; the rest of the check always covers every section.

    Returns:
        Problems in the order of the file; empty where the datalist is sound.
    """
    if not isinstance(data, Mapping):
        return [Problem("datalist", f"is {json_kind(data)}, not an object with labels and sections")]
    problems = list(_top_level(data))
    labels = data.get("labels")
    names = [name for name in labels if isinstance(name, str)] if isinstance(labels, list) else []
    items = list(iterate_items(data))
    for where, item in items:
        problems += item_problems(where, item, names)
    if data.get("outside") is not True:
        problems += _outside(items)
    problems += _leaks(items)
    if check_files and base_dir is not None:
        problems += _files(items, Path(base_dir), sections)
    return problems


def iterate_items(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (``section[index]``, item) for every item that is an object."""
    for section in SECTIONS:
        value = data.get(section)
        for i, item in enumerate(value if isinstance(value, list) else []):
            if isinstance(item, dict):
                yield f"{section}[{i}]", item


def _top_level(data: Mapping[str, Any]) -> Iterator[Problem]:
    labels = data.get("labels")
    if "labels" not in data:
        yield Problem("labels", "is missing")
    elif not isinstance(labels, list) or not labels or not all(isinstance(x, str) and x.strip() for x in labels):
        yield Problem("labels", "must be a list of class names, at least one")
    elif odd := [x for x in labels if len(x) > LONGEST_LABEL or not x.isprintable()]:
        yield Problem("labels", f"{odd[0][:40]!r} is not a class name: at most {LONGEST_LABEL} printable characters")
    elif len(set(labels)) != len(labels):
        yield Problem("labels", f"lists {next(x for x in labels if labels.count(x) > 1)!r} twice")
    if not isinstance(data.get("outside", False), bool):
        yield Problem("outside", f"is {json_kind(data['outside'])}, not true or false")
    if not any(section in data for section in SECTIONS):
        yield Problem("datalist", f"has none of the sections {', '.join(SECTIONS)}")
    for key, value in data.items():
        if key in SECTIONS:
            if not isinstance(value, list):
                yield Problem(key, f"is {json_kind(value)}, not a list of items")
                continue
            for i, item in enumerate(value):
                if not isinstance(item, dict):
                    yield Problem(f"{key}[{i}]", f"is {json_kind(item)}, not an object")
        elif isinstance(value, list) and value and isinstance(value[0], dict) and "image" in value[0]:
            yield Problem(key, f"is not a section, yet lists images: sections are {', '.join(SECTIONS)}")


def _outside(items: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Problem]:
    for where, item in items:
        for field, path in item_paths(item):
            if leads_out(path):
                remedy = 'if that is meant, write "outside": true beside "labels"'
                yield Problem(f"{where}.{field}", f"{path!r} leads out of the data set root; {remedy}")


def leads_out(path: str) -> bool:
    """Whether a relative path leads out of the folder that it starts in; links are not looked at."""
    return posixpath.normpath(path).split("/")[0] == ".."


def _leaks(items: list[tuple[str, Mapping[str, Any]]]) -> Iterator[Problem]:
    images: dict[str, str] = {}
    owners: dict[tuple[str, str], str] = {}
    for where, item in items:
        image = item.get("image")
        if isinstance(image, str):
            first = images.setdefault(posixpath.normpath(image), where)
            if first != where:
                yield Problem(f"{where}.image", f"{image!r} is already {first}")
        for field in ("group", "patient"):
            # A group joins patients, so a patient in two splits leaks whatever the groups say.
            if item.get(field) is not None:
                first = owners.setdefault((field, str(item[field])), where)
                if first.split("[")[0] != where.split("[")[0]:
                    yield Problem(f"{where}.{field}", f"{item[field]!r} is also in another split, at {first}")


def _files(items: list[tuple[str, Mapping[str, Any]]], base_dir: Path, sections: tuple[str, ...]) -> list[Problem]:
    problems, images = [], []
    for where, item in items:
        if where.split("[")[0] in sections:
            for field, path in item_paths(item):
                file = Path(
                    os.path.normpath(base_dir / path)
                )  # as loading does, so a "new/../a.png" needs no folder "new"
                found = os.path.isfile(file)  # noqa: PTH113 - Path's raises where a name is too long
                if field == "image":
                    images.append(found)
                if not found:
                    problems.append(Problem(f"{where}.{field}", f"no such file: {file}"))
                elif field == "image" and isinstance(item.get("boxes"), list) and item["boxes"]:
                    problems += _boxes_outside(where, item["boxes"], file)
    if len(images) > 1 and not any(images):  # thousands of lines would not say that the folder is the wrong one
        remedy = "give the folder that its paths are relative to (--root or --dataset_dir)"
        return [Problem("datalist", f"none of its {len(images)} images is there; {remedy}"), *problems]
    return problems


def _boxes_outside(where: str, boxes: list[Any], file: Path) -> Iterator[Problem]:
    """Boxes in the pixels of another size of the image, the usual slip."""
    from cxr_common.data.image_size import upright_size  # only here: it needs torch

    if (size := upright_size(file)) is None:
        return
    width, height = size
    for i, box in enumerate(boxes):
        sound = isinstance(box, list) and len(box) == 4 and all(map(is_number, box))
        if sound and (box[2] > width + 1 or box[3] > height + 1):  # a pixel more, for tables round
            yield Problem(f"{where}.boxes[{i}]", f"{box} leaves the image of {width} x {height} pixels")
