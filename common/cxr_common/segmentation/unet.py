"""A U-Net over the collection's backbones, WSMIS' segmenter (Viniavskyi 2020, arXiv 2007.00748, step c)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.networks.nets.flexible_unet import UNetDecoder
from torch import nn
from torch.nn import functional as F

from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import max_pool


class UNet(nn.Module):
    """Backbone, and a decoder that doubles the map five times and looks at the backbone's features on the way.

    Layer for layer the U-Net of segmentation-models (github.com/qubvel/segmentation_models.pytorch, 0.3.3), which WSMIS
    uses, except for the order of concatenated channels. The decoder is MONAI's. Its ``FlexibleUNet`` around it takes no
    backbone of ours: it calls the encoder by another name, so weights would not pass between networks, and it fails at
    sizes that are no multiples of 32, where strided convolutions round up and its padding expects them to round down.
    Here the image is padded instead.

    Args:
        num_classes: findings to outline; each is a mask of its own.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``; WSMIS has resnet50.
        decoder_channels: at strides 16, 8, 4, 2 and 1.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        backbone: str = "resnet50",
        decoder_channels: Sequence[int] = (256, 128, 64, 32, 16),
    ) -> None:
        super().__init__()
        self.backbone = make_backbone(backbone, in_channels)
        self.decoder = UNetDecoder(
            spatial_dims=2,
            encoder_channels=(in_channels, self.backbone.stem_channels, *self.backbone.channels),
            decoder_channels=decoder_channels,
            act=("relu", {"inplace": True}),
            norm="batch",
            dropout=0.0,
            bias=False,
            upsample="nontrainable",
            pre_conv=None,
            interp_mode="nearest",
            align_corners=None,
            is_pad=False,
        )
        self.head = nn.Conv2d(decoder_channels[-1], num_classes, 3, padding=1)
        for m in self.decoder.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, mode="fan_in", nonlinearity="relu")
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(torch.as_tensor(self.head.bias))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, X, Y)."""
        x, y = image.shape[-2], image.shape[-1]
        padded = F.pad(image, [0, -y % 32, 0, -x % 32], mode="replicate")
        return self.head(self.decoder(self.backbone.with_stem(padded)))[..., :x, :y]

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, X, Y): the maximum, so a finding is present where it has a pixel."""
        return max_pool(maps)
