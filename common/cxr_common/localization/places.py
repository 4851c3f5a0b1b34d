"""Where the findings of an image may lie, as far as that is known."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from cxr_common.boxes import as_boxes, scale_boxes


class EncodePlacesd(MapTransform):
    """Add a uint8 tensor (C, X, Y) that is 1 where a finding of a class may lie.

    Where the item has boxes of a class, that is inside them; else inside its "chest", a box [x0, y0, x1, y1] around
    lungs and heart in pixels of the original image; without a chest, everywhere. Place it after the image is loaded and
    squashed to the network's size: the scale is the image's shape over ``meta["spatial_shape"]``.

    Args:
        keys: keys of the tensors to add.
        num_classes: C.
        image_key: key of the image, a MetaTensor (C, X, Y).
    """

    def __init__(self, keys: KeysCollection = "place", num_classes: int = 1, image_key: str = "image") -> None:
        super().__init__(keys)
        self.num_classes, self.image_key = num_classes, image_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Add the places of one item; the other keys pass through."""
        d = dict(data)
        image = d[self.image_key]
        size = (int(image.shape[1]), int(image.shape[2]))
        chest = d.get("chest")
        place = np.zeros((self.num_classes, *size), dtype=np.uint8)
        if chest is None:
            place[:] = 1
        else:
            _fill(place, self._scaled([chest], image)[0])
        classes = [int(c) for c in d.get("box_labels") or []]
        place[classes] = 0
        for c, box in zip(classes, self._scaled(d.get("boxes") or [], image), strict=True):
            _fill(place[c], box)
        for key in self.keys:
            d[key] = torch.from_numpy(place.copy())
        return d

    @staticmethod
    def _scaled(boxes: Any, image: Any) -> np.ndarray:
        return scale_boxes(as_boxes(boxes), image.meta["spatial_shape"], image.shape[1:])


def _fill(place: np.ndarray, box: np.ndarray) -> None:
    """Set every pixel that a box touches: a small finding keeps one at least."""
    x0, y0 = np.floor(box[:2]).astype(int).clip(0)
    x1, y1 = np.ceil(box[2:]).astype(int)
    place[..., x0:x1, y0:y1] = 1
