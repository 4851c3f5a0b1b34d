"""Image-level labels of a datalist item as a tensor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.transforms import LoadImage, MapTransform

from cxr_common.errors import InputError


class EncodeLabeld(MapTransform):
    """Turn image-level labels into a float32 tensor (C,); None (not annotated) becomes NaN.

    A label may also be the path of a label-map file, as the items of MONAI Label have it: pixel value ``i + 1`` stands
    for class ``i``, 0 for background, and a class is present (1) where any pixel has its value, else absent (0).

    Args:
        keys: keys of the labels.
        labels: class names; every label must have this many values.
        allow_missing_keys: an item without the key gets all NaN, for it is not annotated.

    Raises:
        InputError: a label has another length or a value that is not a number; a label map holds a value above C.

    Example:
        >>> EncodeLabeld("label", ["Effusion", "Nodule"])({"label": [1, None]})["label"].tolist()
        [1.0, nan]
    """

    def __init__(self, keys: KeysCollection, labels: Sequence[str], allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)
        self.labels = tuple(labels)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Encode the labels of one item; the other keys pass through."""
        d = dict(data)
        for key in self.keys:
            if key not in d and not self.allow_missing_keys:
                raise KeyError(f"EncodeLabeld: key {key!r} is missing; allow_missing_keys makes it not annotated")
            d[key] = self._encode(d.get(key), where=d.get("image", key))
        return d

    def _encode(self, label: Any, where: object) -> torch.Tensor:
        if label is None:
            return torch.full((len(self.labels),), torch.nan)
        if isinstance(label, (str, Path)):
            return self._from_label_map(label)
        try:
            values = torch.tensor([torch.nan if v is None else float(v) for v in label], dtype=torch.float32)
        except (TypeError, ValueError):
            raise InputError(f"label {label!r} is not a list of numbers and null", where=where) from None
        if len(values) != len(self.labels):
            raise InputError(f"label has {len(values)} values for {len(self.labels)} classes", where=where)
        return values

    def _from_label_map(self, path: str | Path) -> torch.Tensor:
        pixels = np.asarray(LoadImage(image_only=True, dtype=np.float32)(path))
        present = np.unique(pixels)
        classes = np.arange(1, len(self.labels) + 1)
        strange = np.setdiff1d(present, np.append(classes, 0))
        if strange.size:
            raise InputError(
                f"label map holds the value {strange[0]:g}, classes are 1 to {len(self.labels)}",
                where=path,
                action=f"give it the values of {', '.join(f'{i} {n}' for i, n in enumerate(self.labels, 1))}",
            )
        return torch.from_numpy(np.isin(classes, present).astype(np.float32))
