"""Image-level logits of the detector, read where its detection head sees each class."""

from __future__ import annotations

import torch

from cxr_common.detection.alignment import aligned_logits, class_probability_maps, local_attention
from cxr_common.detection.anchors import AnchorGrid
from cxr_common.detection.network import SIZE_DIVISIBLE, DetectorOutput


class AlignedLogits:
    """Dual attention alignment of a network's output (Luo 2021, arXiv 2104.03218); see ``losses.alignment``.

    A network that was trained with it is read with it; one whose global head was trained otherwise takes
    :func:`~cxr_common.detection.inferer.pooled_class_maps`.

    Args:
        anchors: of the network.
    """

    def __init__(self, anchors: AnchorGrid) -> None:
        self.anchors = anchors

    def attention(self, output: DetectorOutput) -> torch.Tensor:
        """Where the detection head sees each class, (N, C, X / 32, Y / 32); each map sums to 1."""
        x, y = output.class_maps.shape[-2:]
        levels = self.anchors.split(output.class_logits, (SIZE_DIVISIBLE * x, SIZE_DIVISIBLE * y))
        return local_attention(class_probability_maps(levels), (x, y))

    def __call__(self, output: DetectorOutput) -> torch.Tensor:
        """Image-level logits (N, C)."""
        return aligned_logits(output.class_maps, self.attention(output))
