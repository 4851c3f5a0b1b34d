"""Image backbones that give four feature maps.

MONAI's ResNet and DenseNet in the layout of torchvision's weights, and EfficientNet-Lite.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from monai.networks.nets.densenet import DenseNet
from monai.networks.nets.resnet import ResNet
from torch import nn

from cxr_common.networks.dilation import dilate_dense_block, dilate_resnet_stage
from cxr_common.networks.efficientnet_lite import LITES, EfficientNetLiteBackbone

OUTPUT_STRIDES: tuple[int, ...] = (8, 16, 32)
#: Channels of the stem of ResNet and DenseNet.
STEM_CHANNELS = 64
RESNETS: dict[str, tuple[str, list[int]]] = {
    "resnet18": ("basic", [2, 2, 2, 2]),
    "resnet34": ("basic", [3, 4, 6, 3]),
    "resnet50": ("bottleneck", [3, 4, 6, 3]),
}
BACKBONES: tuple[str, ...] = (*RESNETS, "densenet121", *LITES)
Backbone: TypeAlias = "ResNetBackbone | DenseNetBackbone | EfficientNetLiteBackbone"


class ResNetBackbone(ResNet):
    """ResNet-18, -34 or -50 (He 2016) without its classifier; keys and strides are torchvision's.

    MONAI's own ``ResNetFeatures`` is not used: its ResNet-18 and -34 have parameter-free shortcuts, which no published
    2-D checkpoint has.

    Args:
        name: a key of :data:`RESNETS`.
        in_channels: channels of the input image.
        output_stride: 32; or 16 or 8, where the last one or two stages have dilation in place of stride.
        regularizer: makes what follows the third and the fourth stage, DropBlock for one.
    """

    def __init__(
        self,
        name: str,
        in_channels: int = 1,
        output_stride: int = 32,
        regularizer: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        block, layers = RESNETS[name]
        super().__init__(
            block=block,
            layers=layers,
            block_inplanes=[64, 128, 256, 512],
            spatial_dims=2,
            n_input_channels=in_channels,
            conv1_t_stride=2,
            feed_forward=False,
            bias_downsample=False,
        )
        expansion = 4 if block == "bottleneck" else 1
        #: Channels of what `with_stem` puts first.
        self.stem_channels: int = STEM_CHANNELS
        #: Channels and strides of the four feature maps.
        self.channels: list[int] = [c * expansion for c in (64, 128, 256, 512)]
        self.strides: list[int] = [min(s, output_stride) for s in (4, 8, 16, 32)]
        if output_stride < 32:
            for stage, stride in ((self.layer3, 16), (self.layer4, 32)):
                if stride > output_stride:
                    dilate_resnet_stage(stage, stride // output_stride // 2)
        self.regularize3, self.regularize4 = regularizer(), regularizer()

    def unpooled_stem(self, image: torch.Tensor) -> torch.Tensor:
        """The stem before its pooling: (N, in_channels, X, Y) to (N, 64, X / 2, Y / 2)."""
        return self.act(self.bn1(self.conv1(image)))

    def stem(self, image: torch.Tensor) -> torch.Tensor:
        """What comes before the stages: (N, in_channels, X, Y) to (N, 64, X / 4, Y / 4)."""
        return self.maxpool(self.unpooled_stem(image))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Map (N, in_channels, X, Y) to four feature maps (N, channels[i], X / strides[i], Y / strides[i])."""
        return self.stages(self.stem(image))

    def with_stem(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The unpooled stem at stride 2, and the four feature maps: what a U-Net's decoder takes."""
        x = self.unpooled_stem(image)
        return [x] + self.stages(self.maxpool(x))  # TorchScript unpacks no lists

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The four feature maps of what the stem gives."""
        f1 = self.layer1(x)
        f2 = self.layer2(f1)
        f3 = self.regularize3(self.layer3(f2))
        return [f1, f2, f3, self.regularize4(self.layer4(f3))]


class DenseNetBackbone(nn.Module):
    """DenseNet-121 (Huang 2017) without its classifier; weights in torchvision's layout load by ``published.backbone``.

    The feature map of a dense block is taken after the batch norm and ReLU that follow it (in the transition, or
    norm5), because the raw concatenation has a different scale in each of its layers.

    Args:
        in_channels: channels of the input image.
        output_stride: 32; or 16 or 8, where dilation takes the place of the last one or two poolings.
        regularizer: makes what follows the third and the fourth block.
    """

    def __init__(
        self, in_channels: int = 1, output_stride: int = 32, regularizer: Callable[[], nn.Module] = nn.Identity
    ) -> None:
        super().__init__()
        features = DenseNet(
            spatial_dims=2, in_channels=in_channels, out_channels=1, growth_rate=32, block_config=(6, 12, 24, 16)
        ).features
        # Named children rather than one Sequential, so that forward can tap between them and still be scripted.
        for name, child in features.named_children():
            self.add_module(name, child)
        #: Channels of what `with_stem` puts first.
        self.stem_channels: int = STEM_CHANNELS
        #: Channels and strides of the four feature maps.
        self.channels: list[int] = [256, 512, 1024, 1024]
        self.strides: list[int] = [min(s, output_stride) for s in (4, 8, 16, 32)]
        for transition, block, stride in (
            (self.transition2, self.denseblock3, 16),
            (self.transition3, self.denseblock4, 32),
        ):
            if stride > output_stride:
                transition.pool = nn.Identity()
                dilate_dense_block(block, stride // output_stride)
        self.regularize3, self.regularize4 = regularizer(), regularizer()

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Map (N, in_channels, X, Y) to four feature maps (N, channels[i], X / strides[i], Y / strides[i])."""
        return self.stages(self.pool0(self.unpooled_stem(image)))

    def unpooled_stem(self, image: torch.Tensor) -> torch.Tensor:
        """The stem before its pooling: (N, in_channels, X, Y) to (N, 64, X / 2, Y / 2)."""
        return self.relu0(self.norm0(self.conv0(image)))

    def with_stem(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The unpooled stem at stride 2, and the four feature maps: what a U-Net's decoder takes."""
        x = self.unpooled_stem(image)
        return [x] + self.stages(self.pool0(x))

    def stages(self, x: torch.Tensor) -> list[torch.Tensor]:
        """The four feature maps of what the stem gives."""
        f1 = self.transition1.relu(self.transition1.norm(self.denseblock1(x)))
        x = self.transition1.pool(self.transition1.conv(f1))
        f2 = self.transition2.relu(self.transition2.norm(self.denseblock2(x)))
        x = self.transition2.pool(self.transition2.conv(f2))
        f3 = self.regularize3(self.transition3.relu(self.transition3.norm(self.denseblock3(x))))
        x = self.transition3.pool(self.transition3.conv(f3))
        return [f1, f2, f3, self.regularize4(torch.relu(self.norm5(self.denseblock4(x))))]


def make_backbone(
    name: str,
    in_channels: int = 1,
    output_stride: int = 32,
    regularizer: Callable[[], nn.Module] = nn.Identity,
) -> Backbone:
    """Build one of :data:`BACKBONES` with random weights.

    Args:
        name: which.
        in_channels: channels of the input image.
        output_stride: of the deepest feature map: 8, 16 or 32.
        regularizer: makes what follows the third and the fourth stage.

    Raises:
        ValueError: when name or output stride is not known.
    """
    if output_stride not in OUTPUT_STRIDES:
        raise ValueError(f"output_stride must be one of {OUTPUT_STRIDES}, not {output_stride}")
    if name in RESNETS:
        return ResNetBackbone(name, in_channels, output_stride, regularizer)
    if name == "densenet121":
        return DenseNetBackbone(in_channels, output_stride, regularizer)
    if name in LITES:
        return EfficientNetLiteBackbone(name, in_channels, output_stride, regularizer)
    raise ValueError(f"unknown backbone {name!r}; choose one of {', '.join(BACKBONES)}")
