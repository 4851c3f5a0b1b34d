"""COCO json, of any source: images, annotations (boxes, polygons or run lengths), categories.

Give one file per section (--annotations training=instances_train.json --annotations validation=instances_val.json), or
only one file, whose patients (or images) are split at random. If an image has no annotation of a category, the category
counts as absent, unless the image has a "label" as `cxr prepare export` writes it. Annotations of crowds make their
category present, and are otherwise left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.datalist_schema import SECTIONS, item_problems
from cxr_common.errors import InputError
from cxr_tools.prepare.datasets.base import (
    DrawMask,
    JsonPlace,
    Reading,
    Record,
    checked_box,
    forward_slashes,
    label_index,
)
from cxr_tools.prepare.datasets.coco_file import ACTION, read_coco
from cxr_tools.prepare.run_lengths import decode_coco
from cxr_tools.prepare.shapes import polygons_mask

NAME = "coco"
ALIASES: tuple[str, ...] = ()
TITLE = "COCO json: --annotations FILE, or SECTION=FILE for each section"
#: Keys of an image that are passed through, as `cxr prepare export` writes them.
KEPT = ("patient", "group", "view", "source", "label")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Files and the folder of images."""
    parser.add_argument(
        "--annotations", action="append", required=True, metavar="[SECTION=]FILE", help="relative to --root; repeatable"
    )
    parser.add_argument("--images", default=".", help="folder of the images, relative to --root (default: the root)")


def read(root: Path, options: argparse.Namespace) -> Reading:
    """Read all files at once; masks are drawn image by image."""
    files = [_file(root, text) for text in options.annotations]
    data = [read_coco(path) for _, path in files]
    names = list(dict.fromkeys(str(c["name"]) for d in data for c in d["categories"]))
    if not names:
        raise InputError("has no categories", files[0][1], ACTION)
    records = (
        record
        for (section, path), content in zip(files, data, strict=True)
        for record in _records(section, path, content, names, options.images)
    )
    splits: dict[str, str | None] = {section: section for section, _ in files if section}
    crowds = sum(bool(entry.get("iscrowd")) for d in data for entry in d["annotations"])
    notes = [f"left out: {crowds} annotations of crowds; their category is present"] if crowds else []
    return Reading(names, records, sum(len(d["images"]) for d in data), splits, notes=notes)


def _file(root: Path, text: str) -> tuple[str, Path]:
    section, sign, name = text.partition("=")
    if sign and section not in SECTIONS:
        raise InputError(f"{section!r} is not a section", "--annotations", f"sections are {', '.join(SECTIONS)}")
    return (section, root / name) if sign else ("", root / text)


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
        found[entry["image_id"]].append((place, entry))
    for n, image in enumerate(data["images"]):
        boxes, indices, crowds = [], [], set()
        outlines: dict[int, list[tuple[JsonPlace, Any]]] = {}
        for place, entry in found[image["id"]]:
            index = classes[entry["category_id"]]
            if entry.get("iscrowd"):
                crowds.add(index)
                continue
            if outline := entry.get("segmentation"):
                outlines.setdefault(index, []).append((place, outline))
            if entry.get("only_mask"):
                continue
            try:
                x, y, width, height = (float(v) for v in entry["bbox"])
            except (TypeError, ValueError):
                raise place.error("bbox", f"is {entry['bbox']!r}, not x, y, width, height", ACTION) from None
            boxes.append(checked_box(place, "bbox", [x, y, x + width, y + height]))
            indices.append(index)
        item: dict[str, Any] = {"label": [int(i in {*indices, *outlines, *crowds}) for i in range(len(names))]}
        item |= {key: image[key] for key in KEPT if key in image}
        here = JsonPlace(path, f"images[{n}]")
        if not isinstance(item["label"], list) or len(item["label"]) != len(names):
            reason = f"is {item['label']!r}, not one value for each of {len(names)} categories"
            raise here.error("label", reason, "correct it, or leave it out")
        if boxes or image.get("boxes") is not False:
            item |= {"boxes": boxes, "box_labels": indices}
        masks = _masks(here, image, outlines, names)
        if masks is not None and "mask_origin" in image:
            item["mask_origin"] = image["mask_origin"]
        name = forward_slashes(image["file_name"])
        paths = (name,) if folder == "." else (f"{folder.rstrip('/')}/{name}",)
        for problem in item_problems("", {"image": name, **item}, list(names)):
            key = problem.where.removeprefix(".")
            raise here.error(key, problem.reason, "correct it, or leave it out")
        yield Record(here, paths, item, section or None, masks, False, "file_name", _given_size(image))


def _masks(
    here: JsonPlace,
    image: Mapping[str, Any],
    outlines: Mapping[int, Sequence[tuple[JsonPlace, Any]]],
    names: Sequence[str],
) -> dict[str, DrawMask | None] | None:
    """What draws each class; one that our export says is annotated with masks, and that has none, is empty."""
    masks: dict[str, DrawMask | None] = {}
    for name in image.get("masks") or ():
        masks[names[label_index(here, "masks", name, names)]] = None
    for index, drawn in outlines.items():
        masks[names[index]] = partial(_draw, drawn, _given_size(image))
    return masks or None


def _given_size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    return (width, height) if isinstance(width, int) and isinstance(height, int) and min(width, height) > 0 else None


def _draw(
    outlines: Sequence[tuple[JsonPlace, Any]], given: tuple[int, int] | None, size: tuple[int, int] | None
) -> np.ndarray:
    masks = []
    for place, outline in outlines:
        try:
            if isinstance(outline, Mapping):
                height, width = outline["size"]
                masks.append(decode_coco(outline["counts"], (width, height)))
                if not masks[-1].any():
                    raise ValueError("no pixel is inside")
                continue
            points = [list(zip(corners[0::2], corners[1::2], strict=True)) for corners in outline]
            if (known := size or given) is None:
                raise ValueError("the image has neither a file nor width and height")
            masks.append(polygons_mask(points, known))
        except (KeyError, TypeError, ValueError) as error:
            raise place.error(
                "segmentation", f"is neither polygons nor run lengths of this image ({error})", ACTION
            ) from None
    return np.logical_or.reduce(masks)
