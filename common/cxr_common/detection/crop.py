"""Random crops of an image with boxes, which few boxes need more than many labels do."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import torch

from cxr_common.transforms.augmentation import RandResizedCropd


class RandResizedCropBoxesd(RandResizedCropd):
    """Crop a random part of an image, resize it, and let its boxes follow.

    A box that loses too much of its area is removed, and its class is no longer annotated in this view: what is left of
    the finding is no background.

    Args:
        keys: images (C, X, Y).
        spatial_size: (X, Y) of the result.
        scale: range of the crop's area as a part of the image's.
        ratio: range of width / height.
        boxes_key: boxes (M, 5) as ``EncodeBoxTargetsd`` makes them, in pixels of the first image.
        known_key: which classes are annotated with boxes, (K,).
        kept: smallest part of a box's area that must stay.
        mode: of ``torch.nn.functional.interpolate``.
    """

    def __init__(
        self,
        keys: str | Sequence[str],
        spatial_size: Sequence[int],
        scale: Sequence[float] = (0.8, 1.0),
        ratio: Sequence[float] = (0.9, 1.1),
        boxes_key: str = "boxes",
        known_key: str = "box_known",
        kept: float = 0.5,
        mode: str = "bilinear",
    ) -> None:
        super().__init__(keys, spatial_size, scale, ratio, mode)
        self.boxes_key, self.known_key, self.kept = boxes_key, known_key, kept

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Crop images and boxes alike."""
        d = super().__call__(data)
        x0, y0, x1, y1 = self.box
        start, end, size = (torch.tensor(2 * pair) for pair in ((x0, y0), (x1, y1), self.spatial_size))
        rows, known = d[self.boxes_key].clone(), d[self.known_key].clone()
        real, cut = rows[:, 4] >= 0, torch.maximum(torch.minimum(rows[:, :4], end), start)
        left = _areas(cut)
        lost = real & (left < self.kept * _areas(rows))
        known[rows[self.unknown(lost, left), 4].long()] = 0
        rows[real, :4] = ((cut - start) * size / (end - start))[real]
        rows[lost] = torch.tensor([0.0, 0, 0, 0, -1])
        return {**d, self.boxes_key: rows, self.known_key: known}

    def unknown(self, lost: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        """Whose classes are not annotated any more: of boxes (M,), which are removed, and the area left of each."""
        return lost


class RandCropAroundBoxesd(RandResizedCropBoxesd):
    """Crop a small part of an image, often one with a box in it, and resize it.

    A small part holds most boxes not at all. So a crop holds a box, drawn at random, with a probability; and the class
    of a box that lies outside altogether stays annotated, for nothing of it is left. (MONAI's
    ``RandCropBoxByPosNegLabeld`` does not know which classes are annotated.)

    Args:
        keys: images (C, X, Y).
        spatial_size: (X, Y) of the result.
        prob: probability that the crop is moved to where a box is, if the image has any. A box that fits lies inside
            as a whole, anywhere; of a larger one, the centre does.
        options: see :class:`RandResizedCropBoxesd`.
    """

    def __init__(
        self, keys: str | Sequence[str], spatial_size: Sequence[int], prob: float = 0.7, **options: Any
    ) -> None:
        super().__init__(keys, spatial_size, **options)
        self.box_prob, self.boxes = prob, torch.zeros(0, 5)

    def __call__(self, data: Mapping[Hashable, torch.Tensor]) -> dict[Hashable, torch.Tensor]:
        """Crop images and boxes alike."""
        self.boxes = data[self.boxes_key][data[self.boxes_key][:, 4] >= 0]
        return super().__call__(data)

    def randomize(self, size: tuple[int, int]) -> None:
        """Draw the crop for an image of size (X, Y)."""
        super().randomize(size)
        if len(self.boxes) and self.R.uniform() < self.box_prob:
            box = self.boxes[self.R.randint(len(self.boxes)), :4].tolist()
            places = [self._place(axis, size[axis], box[axis], box[axis + 2]) for axis in (0, 1)]
            (x0, x1), (y0, y1) = places
            self.box = (x0, y0, x1, y1)

    def unknown(self, lost: torch.Tensor, left: torch.Tensor) -> torch.Tensor:
        """Only where a part of a removed box is left."""
        return lost & (left > 0)

    def _place(self, axis: int, size: int, start: float, end: float) -> tuple[int, int]:
        """Where the crop begins and ends along one axis, so that a box, or its centre if it is larger, lies inside."""
        length = self.box[axis + 2] - self.box[axis]
        if end - start > length:
            start = end = (start + end) / 2
        low, high = max(0, math.ceil(end) - length), min(math.floor(start), size - length)
        first = self.R.randint(low, max(low, high) + 1)
        return first, first + length


def _areas(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:4] - boxes[:, :2]).prod(1)
