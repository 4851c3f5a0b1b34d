"""The class activation map classifier (Zhou 2016, arXiv 1512.04150): WSMIS' first step and the baseline of all."""

from __future__ import annotations

import torch
from torch import nn

from cxr_common.localization.dropblock import DropBlock2d
from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import average_pool, log_sum_exp_pool


class CamClassifier(nn.Module):
    """Backbone, 1 x 1 convolution, pooling.

    The mean of the map is the class logit, which is the same function as pooling first and a linear layer after, so the
    map is the class activation map (plus the bias) without any extra step.

    WSMIS (arXiv 2007.00748, step a) is ``backbone="resnet50", output_stride=8, dropblock_prob=0.2``.

    Args:
        num_classes: findings to tell apart.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``.
        output_stride: of the map: 8, 16 or 32.
        pooling: "average", or "lse", the smooth maximum of Wang 2017.
        dropblock_prob: of DropBlock after the third and the fourth stage; 0 for none.
        dropblock_size: side of its blocks, in cells of those stages' maps.
        dropblock_ramp: training batches over which its probability grows from 0; 0 for at once.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        backbone: str = "resnet50",
        output_stride: int = 32,
        pooling: str = "average",
        dropblock_prob: float = 0.0,
        dropblock_size: int = 7,
        dropblock_ramp: int = 0,
    ) -> None:
        super().__init__()
        if pooling not in ("average", "lse"):
            raise ValueError(f"pooling must be average or lse, not {pooling!r}")
        self.smooth_maximum = pooling == "lse"

        def regularizer() -> nn.Module:
            return DropBlock2d(dropblock_prob, dropblock_size, dropblock_ramp) if dropblock_prob else nn.Identity()

        self.backbone = make_backbone(backbone, in_channels, output_stride, regularizer)
        self.head = nn.Conv2d(self.backbone.channels[-1], num_classes, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(torch.as_tensor(self.head.bias))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, X / s, Y / s), s = output_stride."""
        return self.head(self.backbone(image)[3])

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, x, y): their mean, or smooth maximum."""
        return log_sum_exp_pool(maps) if self.smooth_maximum else average_pool(maps)
