"""COCO json, of any source: images, annotations (boxes, polygons or run lengths), categories.

Give one file per section (--annotations training=instances_train.json --annotations validation=instances_val.json), or
only one file, whose patients (or images) are split at random. If an image has no annotation of a category, the category
counts as absent, unless the image has a "label" as `cxr_tools.prepare export` writes it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.datalist_schema import SECTIONS
from cxr_common.errors import InputError
from cxr_common.json_files import read_json
from cxr_tools.prepare.datasets.base import DrawMask, JsonPlace, Reading, Record, checked_box, forward_slashes
from cxr_tools.prepare.run_lengths import decode_coco
from cxr_tools.prepare.shapes import polygons_mask

NAME = "coco"
ALIASES: tuple[str, ...] = ()
TITLE = "COCO json: --annotations FILE, or SECTION=FILE for each section"
_ACTION = "see cocodataset.org/#format-data"
#: Keys of an image that are passed through, as `cxr_tools.prepare export` writes them.
_KEPT = ("patient", "group", "view", "source", "label")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Files and the folder of images."""
    parser.add_argument(
        "--annotations", action="append", required=True, metavar="[SECTION=]FILE", help="relative to --root; repeatable"
    )
    parser.add_argument("--images", default=".", help="folder of the images, relative to --root (default: the root)")


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read all files at once; masks are drawn image by image."""
    files = dict(_file(root, text) for text in options.annotations)
    data = {section: _read(path) for section, path in files.items()}
    names = list(dict.fromkeys(str(c["name"]) for d in data.values() for c in d["categories"]))
    if not names:
        raise InputError("has no categories", next(iter(files.values())), _ACTION)
    records = (
        r for section, path in files.items() for r in _records(section, path, data[section], names, options.images)
    )
    splits: dict[str, str | None] = {section: section for section in files if section}
    return Reading(names, records, sum(len(d["images"]) for d in data.values()), splits)


def _file(root: Path, text: str) -> tuple[str, Path]:
    section, sign, name = text.partition("=")
    if sign and section not in SECTIONS:
        raise InputError(f"{section!r} is not a section", "--annotations", f"sections are {', '.join(SECTIONS)}")
    return (section, root / name) if sign else ("", root / text)


def _read(path: Path) -> dict[str, list[Any]]:
    data = read_json(path, _ACTION)
    for key in ("images", "annotations", "categories"):
        if not isinstance(data, dict) or not isinstance(data.get(key), list):
            raise InputError(f"has no list {key!r}", path, _ACTION)
    for key, needed in (("images", ("id", "file_name")), ("categories", ("id", "name")),
                        ("annotations", ("image_id", "category_id", "bbox"))):  # fmt: skip
        for n, entry in enumerate(data[key]):
            if missing := [k for k in needed if not isinstance(entry, dict) or k not in entry]:
                raise InputError(f"has no {missing[0]!r}", f"{path} {key}[{n}]", _ACTION)
            if strange := [k for k in needed if k.endswith("id") and not isinstance(entry[k], (int, str))]:
                raise InputError(f"{strange[0]!r} is {entry[strange[0]]!r}", f"{path} {key}[{n}]", _ACTION)
    for key in ("images", "categories"):
        seen: dict[Any, int] = {}
        for n, entry in enumerate(data[key]):
            if (first := seen.setdefault(entry["id"], n)) != n:
                reason = f"has the id {entry['id']!r}, as {key}[{first}] has"
                raise InputError(reason, f"{path} {key}[{n}]", "give each an id of its own")
    return data


def _records(section: str, path: Path, data: Mapping[str, Any], names: Sequence[str], folder: str) -> Iterator[Record]:
    classes = {category["id"]: names.index(str(category["name"])) for category in data["categories"]}
    found: dict[Any, list[tuple[JsonPlace, Mapping[str, Any]]]] = {image["id"]: [] for image in data["images"]}
    for n, entry in enumerate(data["annotations"]):
        place = JsonPlace(path, f"annotations[{n}]")
        if entry["image_id"] not in found:
            raise place.error(
                "image_id", f"{entry['image_id']!r} is not an image of the file", "add it, or take this out"
            )
        if entry["category_id"] not in classes:
            known = ", ".join(map(str, classes))
            raise place.error("category_id", f"{entry['category_id']!r} is an unknown label", f"categories are {known}")
        if not entry.get("iscrowd"):
            found[entry["image_id"]].append((place, entry))
    for n, image in enumerate(data["images"]):
        boxes, indices = [], []
        outlines: dict[int, list[tuple[JsonPlace, Any]]] = {}
        for place, entry in found[image["id"]]:
            index = classes[entry["category_id"]]
            if outline := entry.get("segmentation"):
                outlines.setdefault(index, []).append((place, outline))
            if entry.get("only_mask"):
                continue
            try:
                x, y, width, height = (float(v) for v in entry["bbox"])
            except (TypeError, ValueError):
                raise place.error("bbox", f"is {entry['bbox']!r}, not x, y, width, height", _ACTION) from None
            boxes.append(checked_box(place, "bbox", [x, y, x + width, y + height]))
            indices.append(index)
        item: dict[str, Any] = {"label": [int(i in indices or i in outlines) for i in range(len(names))]}
        item |= {key: image[key] for key in _KEPT if key in image}
        if not isinstance(item["label"], list) or len(item["label"]) != len(names):
            reason = f"is {item['label']!r}, not one value for each of {len(names)} categories"
            raise JsonPlace(path, f"images[{n}]").error("label", reason, "correct it, or leave it out")
        item |= {"boxes": boxes, "box_labels": indices}
        size = (image.get("width"), image.get("height"))
        masks: dict[str, DrawMask | None] | None = None
        if outlines:
            masks = {names[i]: partial(_draw, drawn, size) for i, drawn in outlines.items()}
        name = forward_slashes(str(image["file_name"]))
        paths = (name,) if folder == "." else (f"{folder.rstrip('/')}/{name}",)
        yield Record(JsonPlace(path, f"images[{n}]"), paths, item, section or None, masks, False, "file_name")


def _draw(
    outlines: Sequence[tuple[JsonPlace, Any]], given: tuple[Any, Any], size: tuple[int, int] | None
) -> np.ndarray:
    masks = []
    for place, outline in outlines:
        try:
            if isinstance(outline, Mapping):
                height, width = outline["size"]
                masks.append(decode_coco(outline["counts"], (width, height)))
                continue
            points = [list(zip(corners[0::2], corners[1::2], strict=True)) for corners in outline]
            known = size or (int(given[0]), int(given[1]))
            masks.append(polygons_mask(points, known))
        except (KeyError, TypeError, ValueError) as error:
            raise place.error("segmentation", f"is neither polygons nor run lengths ({error})", _ACTION) from None
    return np.logical_or.reduce(masks)
