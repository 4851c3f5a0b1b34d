"""Probabilistic class activation maps (PCAM; Ye 2020, arXiv 2005.14480)."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.networks.backbones import make_backbone


class PcamClassifier(nn.Module):
    """Backbone, 1 x 1 convolution, and pooling in which a cell counts as much as its probability says.

    The sigmoid of a class' map is its heatmap. The paper divides it by its sum, pools the features with these weights
    and applies the convolution to what comes out. The weights add up to 1, so that is the weighted mean of the map,
    which is what :meth:`pool` computes: map and class logit stay one tensor.

    The paper trains a ResNet-34, whose maps have stride 32.

    Args:
        num_classes: findings to tell apart.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``.
        output_stride: of the map: 8, 16 or 32.
    """

    def __init__(
        self, num_classes: int, in_channels: int = 1, backbone: str = "resnet34", output_stride: int = 32
    ) -> None:
        super().__init__()
        self.backbone = make_backbone(backbone, in_channels, output_stride)
        self.head = nn.Conv2d(self.backbone.channels[-1], num_classes, 1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, X / s, Y / s), s = output_stride."""
        return self.head(self.backbone(image)[3])

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, x, y): their mean, weighted by probability; float32 or wider."""
        if maps.dtype in (torch.float16, torch.bfloat16):
            maps = maps.float()
        maps = maps.flatten(2)
        # Weights from logarithms: where a finding is absent, all probabilities of a map can be too small for a float.
        return (F.logsigmoid(maps).softmax(-1) * maps).sum(-1)
