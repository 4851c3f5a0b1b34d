"""The CAM classifier (Zhou 2016, arXiv 1512.04150): the baseline every localiser is compared with."""

from __future__ import annotations

import torch
from torch import nn

from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import average_pool


class CamClassifier(nn.Module):
    """Backbone, 1 x 1 convolution, global average pooling.

    The mean of the map is the class logit, which is the same function as pooling first and a linear layer after, so the
    map is the class activation map (plus the bias) without any extra step.

    Args:
        num_classes: findings to tell apart.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``.
    """

    def __init__(self, num_classes: int, in_channels: int = 1, backbone: str = "resnet50") -> None:
        super().__init__()
        self.backbone = make_backbone(backbone, in_channels)
        self.head = nn.Conv2d(self.backbone.channels[-1], num_classes, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(torch.as_tensor(self.head.bias))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, X / 32, Y / 32)."""
        return self.head(self.backbone(image)[3])

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, x, y): the mean."""
        return average_pool(maps)
