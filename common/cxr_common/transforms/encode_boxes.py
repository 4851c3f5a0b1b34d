"""Boxes of a datalist item as a tensor that collates."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from cxr_common.boxes import as_boxes, scale_boxes
from cxr_common.errors import InputError


class EncodeBoxesd(MapTransform):
    """Turn boxes in original pixels into a float32 tensor (M, 5) in the pixels of the resized image.

    A row is x0, y0, x1, y1 and the class index; rows beyond the item's boxes are 0, 0, 0, 0, -1. Place it after the
    image is loaded and squashed to the network's size: the scale is the image's shape over ``meta["spatial_shape"]``,
    which is right for a plain resize only, not after a crop or padding.

    An item without boxes gets padding only. Not annotated and annotated, none found are one here, for point
    localisation scores neither.

    Args:
        keys: keys of the boxes.
        label_key: key of their class indices; it is removed, since lists of any length do not collate.
        image_key: key of the image, a MetaTensor (C, X, Y).
        max_boxes: M.

    Raises:
        InputError: an item has more boxes than ``max_boxes``.
    """

    def __init__(
        self,
        keys: KeysCollection = "boxes",
        label_key: str = "box_labels",
        image_key: str = "image",
        max_boxes: int = 32,
    ) -> None:
        super().__init__(keys, allow_missing_keys=True)
        self.label_key, self.image_key, self.max_boxes = label_key, image_key, max_boxes

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Encode the boxes of one item; the other keys pass through."""
        d = dict(data)
        classes = d.pop(self.label_key, None) or []
        image = d[self.image_key]
        for key in self.keys:
            boxes = scale_boxes(as_boxes(d.get(key) or []), image.meta["spatial_shape"], image.shape[1:])
            if len(boxes) > self.max_boxes:
                where = image.meta.get("filename_or_obj")
                raise InputError(f"has {len(boxes)} boxes", where=where, action=f"raise max_boxes={self.max_boxes}")
            rows = torch.zeros(self.max_boxes, 5)
            rows[:, 4] = -1
            rows[: len(boxes), :4] = torch.from_numpy(boxes)
            rows[: len(boxes), 4] = torch.tensor(classes, dtype=torch.float32)
            d[key] = rows
        return d
