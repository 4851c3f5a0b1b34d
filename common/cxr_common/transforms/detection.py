"""Boxes of a datalist item as a detector's training target."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection

from cxr_common.transforms.boxes import EncodeBoxesd


class EncodeBoxTargetsd(EncodeBoxesd):
    """:class:`EncodeBoxesd`, and which classes are annotated with boxes: float32 (C,) of 1 and 0.

    Without boxes in the item no class is. With boxes, ``boxes: []`` too, a class is annotated if it has a box or the
    image-level label says that it is absent (0): where the label says present, uncertain or nothing, a missing box does
    not mean that nothing is there. An item whose label is absent or null throughout knows its boxes only, so all
    classes are annotated. Place it before ``EncodeLabeld`` or after.

    Args:
        num_classes: C.
        keys: key of the boxes.
        label_key: key of their class indices; it is removed.
        image_key: key of the image, a MetaTensor (C, X, Y).
        max_boxes: M.
        class_label_key: key of the image-level label.
        known_key: key that is set.
        by_label: whether the image-level label is asked; False trusts boxes for every class.

    Raises:
        InputError: an item has more boxes than ``max_boxes``.
    """

    def __init__(
        self,
        num_classes: int,
        keys: KeysCollection = "boxes",
        label_key: str = "box_labels",
        image_key: str = "image",
        max_boxes: int = 32,
        class_label_key: str = "label",
        known_key: str = "box_known",
        by_label: bool = True,
    ) -> None:
        super().__init__(keys, label_key, image_key, max_boxes)
        self.num_classes, self.class_label_key, self.known_key = num_classes, class_label_key, known_key
        self.by_label = by_label

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Encode the boxes of one item; the other keys pass through."""
        known = torch.zeros(self.num_classes)
        if data.get(self.keys[0]) is not None:
            label = data.get(self.class_label_key) if self.by_label else None
            # NaN is the only value that is not itself.
            values = [None if v is None or v != v else float(v) for v in ([] if label is None else label)]
            if all(v is None for v in values):
                known[:] = 1
            else:
                known[:] = torch.tensor([float(v == 0) for v in values])
                known[list(data.get(self.label_key) or [])] = 1
        return {**super().__call__(data), self.known_key: known}
