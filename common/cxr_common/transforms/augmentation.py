"""The two augmentations of PYLON's recipe that MONAI does not have (github.com/cmb-chula/pylon at e2d493c)."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence

import torch
from monai.config import KeysCollection
from monai.transforms import MapTransform, RandomizableTransform
from monai.utils import ensure_tuple_rep
from torch.nn import functional as F


class RandResizedCropd(RandomizableTransform, MapTransform):
    """Crop a random box of random area and shape, and resize it: always applied, image only.

    Args:
        keys: images (C, X, Y).
        spatial_size: (X, Y) of the result.
        scale: range of the crop's area as a part of the image's.
        ratio: range of width / height, drawn uniformly in its logarithm.
        mode: ``torch.nn.functional.interpolate`` mode, one for all keys or one per key; the paper's is bicubic.
        allow_missing_keys: skip absent keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        spatial_size: Sequence[int],
        scale: Sequence[float] = (0.7, 1.0),
        ratio: Sequence[float] = (3 / 4, 4 / 3),
        mode: str | Sequence[str] = "bicubic",
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob=1.0)
        self.spatial_size = tuple(spatial_size)
        (self.low, self.high), (self.narrow, self.wide) = scale, ratio
        self.mode = ensure_tuple_rep(mode, len(self.keys))
        self.box = (0, 0, 1, 1)

    def randomize(self, size: tuple[int, int]) -> None:
        """Draw the box x0, y0, x1, y1 for an image of size (X, Y); the whole image if ten draws do not fit."""
        width, height = size
        for _ in range(10):
            area = width * height * self.R.uniform(self.low, self.high)
            ratio = math.exp(self.R.uniform(math.log(self.narrow), math.log(self.wide)))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                x, y = self.R.randint(0, width - w + 1), self.R.randint(0, height - h + 1)
                self.box = (x, y, x + w, y + h)
                return
        self.box = (0, 0, width, height)

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Apply one box to all keys."""
        d = dict(data)
        width, height = d[self.first_key(d)].shape[-2:]
        self.randomize((width, height))
        x0, y0, x1, y1 = self.box
        for key, mode in self.key_iterator(d, self.mode):
            crop = d[key][..., x0:x1, y0:y1]
            flag = None if mode == "nearest" else False
            d[key] = F.interpolate(crop[None], size=self.spatial_size, mode=mode, align_corners=flag)[0]
        return d


class RandBrightnessContrastd(RandomizableTransform, MapTransform):
    """Multiply by 1 + c and add b, then clip to [0, 1].

    Args:
        keys: images in [0, 1].
        brightness: b is uniform in +- this part of the range.
        contrast: c is uniform in +- this.
        prob: probability of applying.
        allow_missing_keys: skip absent keys.
    """

    def __init__(
        self,
        keys: KeysCollection,
        brightness: float = 0.5,
        contrast: float = 0.5,
        prob: float = 0.5,
        allow_missing_keys: bool = False,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        RandomizableTransform.__init__(self, prob)
        self.brightness, self.contrast = brightness, contrast
        self.factors = (1.0, 0.0)

    def randomize(self, data: object = None) -> None:
        """Draw whether to apply, and the two factors."""
        super().randomize(None)
        self.factors = (
            1 + self.R.uniform(-self.contrast, self.contrast),
            self.R.uniform(-self.brightness, self.brightness),
        )

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Apply the same factors to all keys."""
        d = dict(data)
        self.randomize()
        if self._do_transform:
            gain, offset = self.factors
            for key in self.key_iterator(d):
                d[key] = (d[key] * gain + offset).clamp(0, 1)
        return d
