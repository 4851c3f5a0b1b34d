"""DeepLabV3+ (Chen 2018, arXiv 1802.02611), CheXseg's segmenter (Gadgil 2021, arXiv 2102.10484).

Layer for layer the network of segmentation-models (github.com/qubvel/segmentation_models.pytorch, 0.3.3), whose fork
CheXseg uses, except for the first convolution of a dilated stage: it reads the grid of the stage before here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import max_pool
from cxr_common.networks.resize import resize_like

LOW_LEVEL_WIDTH = 48  # as the paper has it


def convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    """1 x 1 convolution -> batch norm -> ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)
    )


def separable_convolution(in_channels: int, out_channels: int, dilation: int = 1) -> nn.Sequential:
    """Depthwise 3 x 3 convolution -> 1 x 1 convolution -> batch norm -> ReLU, size preserved."""
    depthwise = nn.Conv2d(
        in_channels, in_channels, 3, padding=dilation, dilation=dilation, groups=in_channels, bias=False
    )
    return nn.Sequential(depthwise, *convolution(in_channels, out_channels))


class AtrousPyramid(nn.Module):
    """Atrous spatial pyramid pooling: five views of the deepest features, side by side, then projected.

    Args:
        in_channels: of the features.
        width: channels of each view, and of the result.
        rates: dilations, in cells, of the three separable convolutions.
        dropout: of the result's channels' cells.
    """

    def __init__(self, in_channels: int, width: int, rates: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.point = convolution(in_channels, width)
        self.atrous = nn.ModuleList(separable_convolution(in_channels, width, rate) for rate in rates)
        self.mean = nn.Sequential(nn.AdaptiveAvgPool2d(1), *convolution(in_channels, width))
        self.project = nn.Sequential(*convolution((2 + len(rates)) * width, width), nn.Dropout(dropout))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, x, y) to (N, width, x, y)."""
        views = [self.point(x)]
        for atrous in self.atrous:
            views.append(atrous(x))
        views.append(self.mean(x).expand_as(views[0]))
        return self.project(torch.cat(views, 1))


class DeepLabDecoder(nn.Module):
    """From the deepest and the finest feature map to features at the finest map's size.

    Args:
        deep_channels: of the deepest features.
        low_channels: of the finest features.
        width: channels of the result.
        rates: see :class:`AtrousPyramid`.
        dropout: see :class:`AtrousPyramid`.
    """

    def __init__(
        self,
        deep_channels: int,
        low_channels: int,
        width: int = 256,
        rates: Sequence[int] = (12, 24, 36),
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.pyramid = nn.Sequential(
            AtrousPyramid(deep_channels, width, rates, dropout), separable_convolution(width, width)
        )
        self.low_level = convolution(low_channels, LOW_LEVEL_WIDTH)
        self.fuse = separable_convolution(width + LOW_LEVEL_WIDTH, width)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_uniform_(m.weight, mode="fan_in", nonlinearity="relu")

    def forward(self, deep: torch.Tensor, low: torch.Tensor) -> torch.Tensor:
        """Map (N, deep_channels, x, y) and (N, low_channels, X, Y) to (N, width, X, Y)."""
        coarse = resize_like(self.pyramid(deep), low)
        return self.fuse(torch.cat((coarse, self.low_level(low)), 1))


class DeepLabV3Plus(nn.Module):
    """Dilated backbone, atrous spatial pyramid pooling and a decoder that looks at the features of stride 4.

    CheXseg is ``backbone="resnet18"`` started from a classifier of its own, output stride 16.

    Args:
        num_classes: findings to outline; each is a mask of its own.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``.
        output_stride: of the deepest features: 16 or 8 (32, no dilation, runs too).
        atrous_rates: dilations of the pyramid, in cells of the deepest map. CheXseg's are the default at both strides;
            the DeepLab paper has (6, 12, 18) at stride 16. A rate as large as the map is a 1 x 1 convolution, so small
            images want small rates.
        decoder_channels: width of pyramid and decoder.
        dropout: after the pyramid.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        backbone: str = "resnet18",
        output_stride: int = 16,
        atrous_rates: Sequence[int] = (12, 24, 36),
        decoder_channels: int = 256,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.backbone = make_backbone(backbone, in_channels, output_stride)
        channels = self.backbone.channels
        self.decoder = DeepLabDecoder(channels[-1], channels[0], decoder_channels, atrous_rates, dropout)
        self.head = nn.Conv2d(decoder_channels, num_classes, 1)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(torch.as_tensor(self.head.bias))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, X, Y)."""
        features = self.backbone(image)
        return resize_like(self.head(self.decoder(features[3], features[0])), image)

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, X, Y): the maximum, so a finding is present where it has a pixel."""
        return max_pool(maps)
