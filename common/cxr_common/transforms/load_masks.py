"""Masks of a datalist item as a target that a segmenter learns from."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform

from cxr_common.data.masks import load_masks, resize_mask
from cxr_common.errors import InputError
from cxr_common.transforms.original import original_size


class LoadMasksd(MapTransform):
    """Turn ``mask`` (class -> file, or None = annotated, empty) into a tensor (C, X, Y) of 1, 0 and NaN.

    A class that is not listed is not annotated: its plane is NaN. Place it after the image is loaded and resized: each
    mask is brought to the image's grid as it comes (inside where more than half of a cell is covered), so that ten
    masks of a large radiograph are never in memory at full size.

    Args:
        keys: keys of the masks.
        labels: class names in channel order; masks of others are left out.
        image_key: key of the image, a MetaTensor (C, X, Y).
        output_key: where the result goes; default the key itself.
        dtype: of the result, floating point; half of the memory with ``$torch.float16``.
        allow_missing_keys: an item without the key gets NaN everywhere, for it is not annotated.

    Raises:
        InputError: a mask cannot be read or is of another size than its image, or the image was not just resized.
    """

    def __init__(
        self,
        keys: KeysCollection = "mask",
        labels: Sequence[str] = (),
        image_key: str = "image",
        output_key: str | None = None,
        dtype: torch.dtype = torch.float32,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if not labels or not dtype.is_floating_point:
            reason = f"labels are {list(labels)} and the dtype is {dtype}"
            raise InputError(reason, "LoadMasksd", "give class names, and a floating point type, which holds NaN")
        self.labels, self.image_key, self.output_key, self.dtype = list(labels), image_key, output_key, dtype

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Load the masks of one item; the other keys pass through."""
        d = dict(data)
        image = d[self.image_key]
        where = image.meta.get("filename_or_obj", "image") if isinstance(image, MetaTensor) else "image"
        size, grid = original_size(image, where), image.shape[-2:]
        for key in self.keys:
            if key not in d and not self.allow_missing_keys:
                raise KeyError(f"LoadMasksd: key {key!r} is missing; allow_missing_keys makes it not annotated")
            planes = torch.full((len(self.labels), *grid), torch.nan, dtype=self.dtype)
            for plane, label in zip(planes, self.labels, strict=True):
                (mask,) = load_masks({"mask": d.get(key)}, [label], size)
                if mask is not None:
                    plane[:] = torch.from_numpy(resize_mask(mask, grid))
            d[self.output_key or key] = planes
        return d


class BinarizeMasksd(MapTransform):
    """Bring masks (C, X, Y) back to 1, 0 and NaN after spatial augmentation.

    Image and masks go through MONAI's spatial transforms together and are interpolated alike; then a pixel is inside
    above .5. What comes from beyond the border is outside, as the image is black there. A plane with any NaN was not
    annotated and becomes NaN everywhere again: MONAI's zero padding puts zeros, that is "annotated, empty", in the
    corners of a rotated NaN plane, and its ``AsDiscrete`` puts them all over it.

    Args:
        keys: the masks.
        allow_missing_keys: skip absent keys.
    """

    def __init__(self, keys: KeysCollection = "mask", allow_missing_keys: bool = False) -> None:
        super().__init__(keys, allow_missing_keys)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Binarize the masks of one item; the other keys pass through."""
        d = dict(data)
        for key in self.key_iterator(d):
            masks = d[key]
            unknown = torch.isnan(masks).flatten(1).any(1)[:, None, None]
            d[key] = (masks > 0.5).to(masks.dtype).masked_fill(unknown, torch.nan)
        return d
