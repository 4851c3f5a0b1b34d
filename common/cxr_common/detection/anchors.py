"""RetinaNet's anchors (Lin 2017, arXiv 1708.02002, section 4), in the order of our feature maps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.detection.utils.anchor_utils import AnchorGenerator

PUBLISHED_SCALES: tuple[float, ...] = (1.0, 2 ** (1 / 3), 2 ** (2 / 3))


class AnchorGrid(AnchorGenerator):
    """Anchors of pyramid levels l: stride 2^l, side 4 * 2^l, three ratios and three scales a location.

    MONAI's own generator rounds sides to whole pixels and takes strides as ``image // map``, which is wrong where a
    size is no multiple of the stride; published anchors (github.com/LLYXC/OXnet at 4fb67a8) do neither. Its axis order
    is ours as it is: axis 0 is x, so its "w : h = 1 : ratio" is height / width, and x varies slowest over a map.

    Args:
        levels: pyramid levels without a gap; OXnet has 2 to 7.
        ratios: height / width.
        scales: factors on a level's side.
        side: base side of an anchor in strides. The published 4 begins at 16 (P2) or 32 (P3) pixels, chosen for images
            of 512; findings of a small image may need less.
    """

    def __init__(
        self,
        levels: Sequence[int] = (3, 4, 5, 6, 7),
        ratios: Sequence[float] = (0.5, 1.0, 2.0),
        scales: Sequence[float] = PUBLISHED_SCALES,
        side: float = 4.0,
    ) -> None:
        sides = [[side * 2**level * scale for scale in scales] for level in levels]
        super().__init__(sides, [list(ratios)] * len(sides))
        self.levels = tuple(levels)
        self.per_cell = len(ratios) * len(scales)

    def generate_anchors(
        self,
        scales: Sequence,
        aspect_ratios: Sequence,
        dtype: torch.dtype = torch.float32,
        device: torch.device | None = None,
    ) -> torch.Tensor:
        """Anchors around the origin, (ratios * scales, 4), ratio-major."""
        side = torch.as_tensor(scales, dtype=dtype, device=device)
        root = torch.as_tensor(aspect_ratios, dtype=dtype, device=device).sqrt()[:, None]
        half = torch.stack((side / root, side * root), -1).flatten(0, 1) / 2
        return torch.cat((-half, half), 1)

    def shapes(self, size: Sequence[int]) -> list[tuple[int, int]]:
        """Cells (x, y) of each level's map for an image of size (X, Y)."""
        width, height = size
        return [(-(-width // 2**level), -(-height // 2**level)) for level in self.levels]

    def counts(self, size: Sequence[int]) -> list[int]:
        """Anchors of each level."""
        return [x * y * self.per_cell for x, y in self.shapes(size)]

    def boxes(self, size: Sequence[int], device: torch.device | str | None = None) -> torch.Tensor:
        """All anchors for an image of size (X, Y).

        Returns:
            (A, 4) float32 xyxy, not clipped; ordered by level, x, y, ratio, scale.
        """
        device = torch.device("cpu" if device is None else device)
        levels = zip(self.cells(device), self.shapes(size), self.levels, strict=True)
        return torch.cat([grid(cell, *shape, 2**level) for cell, shape, level in levels])

    def cells(self, device: torch.device | None = None) -> list[torch.Tensor]:
        """Each level's anchors around the origin, (per_cell, 4)."""
        self.set_cell_anchors(torch.float32, torch.device("cpu") if device is None else device)
        return list(self.cell_anchors)

    def split(self, values: torch.Tensor, size: Sequence[int]) -> list[torch.Tensor]:
        """Cut what a network says of each anchor (N, A, K) into maps (N, x, y, per_cell, K), one per level."""
        parts = values.split(self.counts(size), 1)
        return [
            part.unflatten(1, (*shape, self.per_cell)) for part, shape in zip(parts, self.shapes(size), strict=True)
        ]

    def forward(self, images: torch.Tensor, feature_maps: list[torch.Tensor]) -> list[torch.Tensor]:
        """The anchors of each image (N, C, X, Y), as MONAI's ``RetinaNetDetector`` asks for them.

        Raises:
            ValueError: when the maps' shapes are not those of the levels.
        """
        shapes = [tuple(maps.shape[-2:]) for maps in feature_maps]
        size = images.shape[-2:]
        if shapes != self.shapes(size):
            raise ValueError(f"maps {shapes} are not those of levels {self.levels} of an image {tuple(size)}")
        return [self.boxes(size, images.device)] * len(images)


def grid(cell: torch.Tensor, x: int, y: int, stride: int) -> torch.Tensor:
    """Anchors of a map of x times y cells: MONAI's ``grid_anchors`` in operations that exporters take as they are.

    Args:
        cell: (per_cell, 4) around the origin.
        x: cells of the map along x.
        y: cells along y.
        stride: pixels from cell to cell.

    Returns:
        (x * y * per_cell, 4); x varies slowest.
    """
    along_x = (torch.arange(x, device=cell.device).to(cell.dtype) + 0.5) * stride
    along_y = (torch.arange(y, device=cell.device).to(cell.dtype) + 0.5) * stride
    centre = torch.stack((along_x[:, None].expand(x, y), along_y[None].expand(x, y)), -1)
    return (torch.cat((centre, centre), -1)[:, :, None] + cell).flatten(0, 2)
