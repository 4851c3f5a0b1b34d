"""A datalist as COCO json: boxes and masks become annotations, sections become files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.boxes import xyxy_to_xywh
from cxr_common.data.masks import read_mask
from cxr_tools.prepare.datasets.coco import KEPT
from cxr_tools.prepare.export_items import item_size
from cxr_tools.prepare.located import located
from cxr_tools.prepare.run_lengths import encode_coco


def to_coco(labels: Sequence[str], items: Sequence[Mapping[str, Any]], root: Path) -> dict[str, Any]:
    """One section as COCO has it.

    Args:
        labels: class names; category ids are their places from 1 on.
        items: of the section.
        root: data set root; ``file_name`` is relative to it.

    Returns:
        images, annotations, categories. Boxes and masks of an image are annotations of their own: a mask has the box
        around it as ``bbox``, run lengths as ``segmentation`` and ``only_mask`` true. What COCO has no place for stays
        with the image: patient, group, view, source, label; ``boxes`` false where it is not annotated with boxes;
        ``masks``, the classes that are annotated with masks, and ``mask_origin``.

    Raises:
        InputError: an image's size cannot be told, or a mask cannot be read.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, item in enumerate(items, 1):
        width, height = item_size(item, root)
        kept = {key: item[key] for key in KEPT if key in item}
        if "boxes" not in item:
            kept["boxes"] = False
        if item.get("mask"):
            kept |= {"masks": [*item["mask"]], "mask_origin": item.get("mask_origin", "expert")}
        images.append({"id": number, "file_name": item["image"], "width": width, "height": height, **kept})
        for entry in (*_boxes(item), *_masks(item, labels, root)):
            annotations.append({"id": len(annotations) + 1, "image_id": number, "iscrowd": 0, **entry})
    categories = [{"id": number, "name": name} for number, name in enumerate(labels, 1)]
    return {"images": images, "annotations": annotations, "categories": categories}


def _boxes(item: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for box, index in zip(item.get("boxes", []), item.get("box_labels", []), strict=True):
        bbox = [round(v, 4) for v in xyxy_to_xywh(box).tolist()]
        yield {"category_id": index + 1, "bbox": bbox, "area": round(bbox[2] * bbox[3], 4)}


def _masks(item: Mapping[str, Any], labels: Sequence[str], root: Path) -> Iterator[dict[str, Any]]:
    for name, path in (item.get("mask") or {}).items():
        if path is None:
            continue
        mask = read_mask(located(root, path))
        x, y = np.nonzero(mask)
        if not len(x):
            continue
        bbox = [int(x.min()), int(y.min()), int(np.ptp(x)) + 1, int(np.ptp(y)) + 1]
        runs = {"size": [mask.shape[1], mask.shape[0]], "counts": encode_coco(mask)}
        area = int(mask.sum())
        yield {
            "category_id": labels.index(name) + 1,
            "bbox": bbox,
            "area": area,
            "segmentation": runs,
            "only_mask": True,
        }
