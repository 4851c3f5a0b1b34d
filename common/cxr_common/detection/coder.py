"""Box regression targets (Girshick 2015, arXiv 1504.08083) as OXnet scales them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.detection.utils.box_coder import BoxCoder


class DetectionBoxCoder(BoxCoder):
    """MONAI's coder with OXnet's weights; a true box thinner than one pixel counts as one pixel about its centre.

    MONAI's own refuses the infinite target of an empty box. Decoding limits a side to 62.5 times the anchor's.

    Args:
        weights: of the centre's x, y and the sides' logarithms; 10, 10, 5, 5 is division by .1, .1, .2, .2.
    """

    def __init__(self, weights: Sequence[float] = (10.0, 10.0, 5.0, 5.0)) -> None:
        super().__init__(weights)

    def encode_single(self, gt_boxes: torch.Tensor, proposals: torch.Tensor) -> torch.Tensor:
        """Targets (n, 4) that turn anchors ``proposals`` (n, 4) into boxes ``gt_boxes`` (n, 4)."""
        low, high = gt_boxes[:, :2], gt_boxes[:, 2:]
        centre, half = (low + high) / 2, (high - low).clamp_min(1) / 2
        return super().encode_single(torch.cat((centre - half, centre + half), 1), proposals)
