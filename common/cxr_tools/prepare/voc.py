"""A datalist from a data set in the format of PASCAL VOC."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data.datalist_schema import SECTIONS
from cxr_common.data.label_map import VOID, read_label_map
from cxr_common.errors import InputError
from cxr_common.files import replacing
from cxr_tools.prepare.voc_files import VOC_CLASSES, VocImage, picture_size, read_objects


def datalist_from_voc(
    images: Mapping[str, VocImage],
    sections: Mapping[str, Sequence[str]],
    output_root: Path,
    mask_folder: str = "masks",
    mask_origin: str = "expert",
) -> tuple[dict[str, Any], list[str]]:
    """Build a datalist, and write one mask per class and image.

    Args:
        images: files of each image by name.
        sections: names of the images of each section.
        output_root: data set root: paths are relative to it.
        mask_folder: folder there for the masks, 1-bit PNGs.
        mask_origin: expert, or pseudo where the label maps are a network's.

    Returns:
        The datalist over :data:`VOC_CLASSES`, and what label maps show and annotations do not name, a line each.
        Image-level labels are those of the XML, else of the label map. The label map itself goes under ``label_map``,
        for the masks cannot tell background from void.

    Raises:
        InputError: an image is missing or not annotated, or its files do not fit together.
    """
    data: dict[str, Any] = {"labels": list(VOC_CLASSES), **{section: [] for section in SECTIONS}}
    notes: list[str] = []
    for section, names in sections.items():
        for name in names:
            if name not in images:
                raise InputError("is not an image of JPEGImages", name, f"take it off the list of {section}, or add it")
            item = _item(images[name], output_root, mask_folder, notes)
            data[section].append({**item, "mask_origin": mask_origin} if "mask" in item else item)
    return data, notes


def _item(files: VocImage, root: Path, mask_folder: str, notes: list[str]) -> dict[str, Any]:
    if files.annotation is None and files.label_map is None:
        action = "give it an XML file in Annotations or a label map, or leave it out by a list"
        raise InputError("has neither objects nor a label map", files.image, action)
    size = picture_size(files.image)
    item: dict[str, Any] = {"image": _below(files.image, root)}
    objects = None if files.annotation is None else read_objects(files.annotation)
    if objects is not None:
        if objects.size not in (None, size):
            raise _misfit(files.annotation, objects.size, size)
        item["label"] = [int(c in objects.classes) for c in range(len(VOC_CLASSES))]
        item |= {"boxes": objects.boxes, "box_labels": objects.classes}
    if files.label_map is not None:
        label_map = read_label_map(files.label_map, len(VOC_CLASSES))
        if label_map.shape != size:
            raise _misfit(files.label_map, label_map.shape, size)
        shown = [int(v) - 1 for v in np.unique(label_map) if v not in (0, VOID)]
        item.setdefault("label", [int(c in shown) for c in range(len(VOC_CLASSES))])
        unnamed = [VOC_CLASSES[c] for c in shown if not item["label"][c]]
        if unnamed:
            notes.append(f"{files.name}: {', '.join(unnamed)}")
        masks = {VOC_CLASSES[c]: _write_mask(label_map == c + 1, files.name, c, root / mask_folder) for c in shown}
        item["mask"] = {name: _below(masks[name], root) if name in masks else None for name in VOC_CLASSES}
        item["label_map"] = _below(files.label_map, root)
    return item


def _write_mask(mask: np.ndarray, name: str, index: int, folder: Path) -> Path:
    path = folder / f"{name}_{VOC_CLASSES[index]}.png"
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(tensor_to_picture(mask))).save(temporary)
    return path


def _below(path: Path, root: Path) -> str:
    return Path(os.path.relpath(path, root)).as_posix()


def _misfit(path: Path | None, found: Sequence[int] | None, expected: Sequence[int]) -> InputError:
    texts = [" x ".join(str(n) for n in size or ()) for size in (found, expected)]
    return InputError(f"is for an image of {texts[0]} pixels, which has {texts[1]}", path, "give files of one image")
