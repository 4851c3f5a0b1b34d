"""Random crops of an image with boxes, which few boxes need more than many labels do."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

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
        lost = real & (_areas(cut) < self.kept * _areas(rows))
        known[rows[lost, 4].long()] = 0
        rows[real, :4] = ((cut - start) * size / (end - start))[real]
        rows[lost] = torch.tensor([0.0, 0, 0, 0, -1])
        return {**d, self.boxes_key: rows, self.known_key: known}


def _areas(boxes: torch.Tensor) -> torch.Tensor:
    return (boxes[:, 2:4] - boxes[:, :2]).prod(1)
