"""Label maps as a segmenter's target, where classes compete for every pixel (PASCAL VOC)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform

from cxr_common.data.label_map import read_label_map
from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.transforms.original import original_size


def items_with_label_maps(items: Sequence[Mapping[str, Any]], folder: str | Path | None = None) -> list[dict[str, Any]]:
    """Datalist items that have a label map.

    Args:
        items: with absolute paths.
        folder: its ``<name of the image>.png`` take the place of the items' own label maps, such as the folder
            ``label_maps`` that scoring a relation network writes; images without one are left out. None: their own.

    Raises:
        InputError: there is none.
    """
    if folder is None:
        found = [dict(item) for item in items if item.get("label_map")]
    else:
        paths = [as_path(folder) / f"{Path(item['image']).stem}.png" for item in items]
        found = [{**item, "label_map": str(path)} for item, path in zip(items, paths, strict=True) if path.is_file()]
    if not found:
        action = "make label maps first: see docs/how-to/voc.md"
        raise InputError("has no label map of an image", folder or "datalist", action)
    return found


class LoadLabelMapd(MapTransform):
    """Turn the path of a label map into a tensor (1, X, Y) uint8: 0 background, i + 1 class i, 255 void.

    Args:
        keys: keys of the paths.
        num_classes: classes besides the background.
        image_key: key of the image, a MetaTensor at its own size.
        output_key: where the result goes.

    Raises:
        InputError: see :func:`~cxr_common.data.label_map.read_label_map`.
    """

    def __init__(
        self,
        keys: KeysCollection = "label_map",
        num_classes: int = 20,
        image_key: str = "image",
        output_key: str = "label",
    ) -> None:
        super().__init__(keys)
        self.num_classes, self.image_key, self.output_key = num_classes, image_key, output_key

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load the label map of one item; the other keys pass through."""
        d = dict(data)
        for key in self.keys:
            label_map = read_label_map(d[key], self.num_classes, original_size(d[self.image_key], d[key]))
            d[self.output_key] = torch.from_numpy(label_map)[None]
        return d
