"""Boxes of a datalist item as a detector's training target."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import torch
from monai.config import KeysCollection

from cxr_common.data.datalist import boxed_classes
from cxr_common.transforms.encode_boxes import EncodeBoxesd


class EncodeBoxTargetsd(EncodeBoxesd):
    """:class:`EncodeBoxesd`, and which classes are annotated with boxes: float32 (C,) of 1 and 0.

    Without boxes in the item no class is; with boxes, ``boxes: []`` too, those of
    :func:`~cxr_common.data.datalist.boxed_classes`. Place it before ``EncodeLabeld`` or after.

    Args:
        num_classes: C.
        keys: key of the boxes.
        label_key: key of their class indices; it is removed.
        image_key: key of the image, a MetaTensor (C, X, Y).
        max_boxes: M.
        class_label_key: key of the image-level label.
        known_key: key that is set.

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
    ) -> None:
        super().__init__(keys, label_key, image_key, max_boxes)
        self.num_classes, self.class_label_key, self.known_key = num_classes, class_label_key, known_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Encode the boxes of one item; the other keys pass through."""
        known = torch.zeros(self.num_classes)
        if data.get(self.keys[0]) is not None:
            label = data.get(self.class_label_key)
            known = torch.tensor(boxed_classes(label, data.get(self.label_key) or [], self.num_classes)).float()
        return {**super().__call__(data), self.known_key: known}
