"""PYLON: high-resolution heatmaps from image-level labels (Preechakul 2020, arXiv 2010.11475; iScience 25(3):103933).

Facts of the published code: github.com/cmb-chula/pylon at e2d493c (two-convolution lateral) and 79fcb36 (one).
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import max_pool
from cxr_common.networks.resize import resize_like


class GroupNorm(nn.GroupNorm):
    """Group norm that also takes one value per group: what is left of it is the bias.

    PyTorch computes that for a batch and refuses it for a single image. The coarsest level of the attention's pyramid
    has one channel, and one cell if the image has 256 pixels or fewer.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise (N, num_channels, x, y)."""
        if x.shape[1] * x.shape[2] * x.shape[3] == self.num_groups:
            return torch.zeros_like(x) + self.bias[:, None, None]
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)


class ConvNormRelu(nn.Sequential):
    """Convolution (bias kept, as published) -> batch norm, or group norm -> ReLU, size preserved."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int = 1, norm: str = "batch") -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2),
            nn.BatchNorm2d(out_channels) if norm == "batch" else GroupNorm(math.gcd(32, out_channels), out_channels),
            nn.ReLU(inplace=True),
        )


class PyramidAttention(nn.Module):
    r"""Gate the deepest features by one non-negative, unbounded spatial map from a three-level pyramid.

    .. math:: y = \operatorname{mid}(f) \cdot a, \quad a = \uparrow(g_1 + \uparrow(g_2 + \uparrow g_3))

    with :math:`g_i` of one channel at 1/2, 1/4 and 1/8 of the size of :math:`f`. There is no global-pooling branch:
    that is the paper's difference from the attention of PAN (Li 2018, arXiv 1805.10180).

    Args:
        in_channels: of the features.
        out_channels: of the result.
        norm: "batch" or "group".
        global_branch: add PAN's branch: the projected mean of the features, the same everywhere.
    """

    def __init__(self, in_channels: int, out_channels: int, norm: str = "batch", global_branch: bool = False) -> None:
        super().__init__()
        self.mid = ConvNormRelu(in_channels, out_channels, norm=norm)
        self.down1 = ConvNormRelu(in_channels, 1, 7, norm)
        self.down2 = ConvNormRelu(1, 1, 5, norm)
        self.down3 = ConvNormRelu(1, 1, 3, norm)
        self.conv1 = ConvNormRelu(1, 1, 7, norm)
        self.conv2 = ConvNormRelu(1, 1, 5, norm)
        self.conv3 = ConvNormRelu(1, 1, 3, norm)
        self.branch = ConvNormRelu(in_channels, out_channels, norm=norm) if global_branch else None
        # The published pool drops an odd last row, so only inputs that are multiples of 256 run there; rounding up
        # gives the same numbers at those sizes and runs at the others.
        self.pool = nn.MaxPool2d(2, ceil_mode=True)

    def gate(self, x: torch.Tensor) -> torch.Tensor:
        """Attention (N, 1, x, y) >= 0 of features (N, in_channels, x, y)."""
        x1 = self.down1(self.pool(x))
        x2 = self.down2(self.pool(x1))
        x3 = self.down3(self.pool(x2))
        a = resize_like(self.conv3(x3), x2)
        a = resize_like(self.conv2(x2) + a, x1)
        return resize_like(self.conv1(x1) + a, x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, x, y) to (N, out_channels, x, y)."""
        out = self.gate(x) * self.mid(x)
        if self.branch is not None:
            out = out + self.branch(x.mean((-2, -1), keepdim=True))
        return out


class UpBlock(nn.Module):
    """Resize the decoder's features to a lateral feature map and add its projection; nothing follows the sum.

    Args:
        lateral_channels: channels of the lateral feature map.
        out_channels: channels of the decoder.
        convolutions: 1 (2020 code) or 2 (2021 code: one more at the lateral's own width first).
        kernel_size: of the lateral convolutions, odd.
        norm: "batch" or "group".
    """

    def __init__(
        self, lateral_channels: int, out_channels: int, convolutions: int, kernel_size: int, norm: str = "batch"
    ) -> None:
        super().__init__()
        widths = [lateral_channels] * convolutions + [out_channels]
        self.lateral = nn.Sequential(
            *(ConvNormRelu(i, o, kernel_size, norm) for i, o in zip(widths[:-1], widths[1:], strict=True))
        )

    def forward(self, x: torch.Tensor, lateral: torch.Tensor) -> torch.Tensor:
        """Map (N, out_channels, x, y) and (N, lateral_channels, X, Y) to (N, out_channels, X, Y)."""
        return resize_like(x, lateral) + self.lateral(lateral)


class Pylon(nn.Module):
    """Encoder, pyramid attention and a light decoder; the class logit is the largest pixel of its map.

    At input sizes that are multiples of 256 the numbers are the published network's; other sizes from 64 run too.

    Args:
        num_classes: findings to tell apart.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``; the paper has resnet50.
        decoder_channels: width of the decoder.
        lateral_convolutions: 1 (2020 code) or 2 (2021 code).
        pyramid_attention: False leaves only its 1 x 1 projection.
        up_blocks: 3 gives maps at stride 4, 2 at stride 8, 1 at stride 16.
        lateral_kernel: size of the lateral kernels, odd.
        head_kernel: size of the head's kernel, odd.
        norm: of attention and decoder: "batch" (the paper's), or "group", which the paper finds to harm localisation.
        global_branch: add a global-pooling branch to the attention, which the paper finds to harm localisation too.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        backbone: str = "resnet50",
        decoder_channels: int = 128,
        lateral_convolutions: int = 2,
        pyramid_attention: bool = True,
        up_blocks: int = 3,
        lateral_kernel: int = 1,
        head_kernel: int = 1,
        norm: str = "batch",
        global_branch: bool = False,
    ) -> None:
        super().__init__()
        if lateral_convolutions not in (1, 2):
            raise ValueError(f"lateral_convolutions must be 1 or 2, not {lateral_convolutions}")
        if not 1 <= up_blocks <= 3:
            raise ValueError(f"up_blocks must be 1, 2 or 3, not {up_blocks}")
        if norm not in ("batch", "group"):
            raise ValueError(f"norm must be batch or group, not {norm!r}")
        if global_branch and not pyramid_attention:
            raise ValueError("global_branch is a branch of the pyramid attention, which is off")
        self.backbone = make_backbone(backbone, in_channels)
        deepest = self.backbone.channels[-1]
        self.attention: nn.Module = (
            PyramidAttention(deepest, decoder_channels, norm, global_branch)
            if pyramid_attention
            else ConvNormRelu(deepest, decoder_channels, norm=norm)
        )
        laterals = self.backbone.channels[-2::-1][:up_blocks]
        self.up = nn.ModuleList(
            UpBlock(c, decoder_channels, lateral_convolutions, lateral_kernel, norm) for c in laterals
        )
        self.head = nn.Conv2d(decoder_channels, num_classes, head_kernel, padding=head_kernel // 2)
        for module in (self.attention, self.up):
            for m in module.modules():
                if isinstance(m, nn.Conv2d) and m.bias is not None:
                    nn.init.kaiming_uniform_(m.weight, mode="fan_in", nonlinearity="relu")
                    nn.init.zeros_(m.bias)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(torch.as_tensor(self.head.bias))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, ceil(X / 4), ceil(Y / 4)).

        Raises:
            ValueError: when a side is smaller than 64 pixels.
        """
        # Below 64 the deepest map would be a single pixel. A literal, because TorchScript reads no module constants.
        if not torch.jit.is_tracing() and min(image.shape[-2], image.shape[-1]) < 64:
            raise ValueError(f"the image must be at least 64 pixels wide and high, got {image.shape}")
        features = self.backbone(image)
        x = self.attention(features[3])
        level = 2
        for block in self.up:
            x = block(x, features[level])
            level -= 1
        return self.head(x)

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, x, y): the maximum, so score and peak are the same pixel."""
        return max_pool(maps)
