"""EfficientNet-Lite 0, 1 and 2: EfficientNet (Tan 2019, arXiv 1905.11946) without squeeze-excite, with ReLU6.

The Lite variants are described in github.com/tensorflow/tpu, models/official/efficientnet/lite. They have ImageNet
weights that a package index carries; see :mod:`cxr_common.networks.lite_weights`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

#: Name -> factors on the channels and on the number of blocks of a stage.
LITES: dict[str, tuple[float, float]] = {
    "efficientnet_lite0": (1.0, 1.0),
    "efficientnet_lite1": (1.0, 1.1),
    "efficientnet_lite2": (1.1, 1.2),
}
#: Channels of the stem and of the head, which the Lite variants do not scale.
LITE_STEM, LITE_HEAD = 32, 1280


@dataclass(frozen=True)
class Stage:
    """Blocks of one width; the first of them has the stride.

    Attributes:
        kernel: side of the depth-wise kernel.
        stride: 1 or 2.
        expansion: of the channels inside a block.
        channels: of the output, before scaling.
        blocks: how many, before scaling.
    """

    kernel: int
    stride: int
    expansion: int
    channels: int
    blocks: int


STAGES: tuple[Stage, ...] = (
    Stage(3, 1, 1, 16, 1),
    Stage(3, 2, 6, 24, 2),
    Stage(5, 2, 6, 40, 2),
    Stage(3, 2, 6, 80, 3),
    Stage(5, 1, 6, 112, 3),
    Stage(5, 2, 6, 192, 4),
    Stage(3, 1, 6, 320, 1),
)
#: The stages after which a feature map is given: strides 4, 8 and 16; that of stride 32 comes after the head.
_TAPS = (1, 2, 4)
#: The first stage of a feature map: those of taps 3 and 4 can be dilated.
_THIRD, _FOURTH = 3, 5


def scaled_channels(channels: int, factor: float) -> int:
    """Channels times a factor, rounded to a multiple of 8, at most a tenth below."""
    rounded = max(8, int(channels * factor + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * channels * factor else rounded


class SameConv2d(nn.Conv2d):
    """A convolution without bias that pads as TensorFlow's "SAME" does at sides its stride divides.

    With stride 2 an even side has one column more on the far side than on the near one: (0, 1) for a kernel of 3,
    (1, 2) for one of 5. The pads do not depend on the size, so that exports hold for any size divisible by 32. They are
    equal in x and y, so nothing changes where axes are transposed.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__(in_channels, out_channels, kernel, stride, groups=groups, bias=False)
        self.set_pads()

    def set_pads(self) -> None:
        """Compute the pads anew, after stride or dilation have changed."""
        total = max(0, self.dilation[0] * (self.kernel_size[0] - 1) + 1 - self.stride[0])
        near, far = total // 2, total - total // 2
        self.pads = (near, far, near, far)
        self.padding = (near, near) if near == far else (0, 0)
        self.uneven = near != far

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, X, Y) to (N, out_channels, X / stride, Y / stride)."""
        if self.training and self.dilation == (2, 2) and self.groups > 1 and x.shape[-1] % 2 == x.shape[-2] % 2 == 0:
            return self._by_phases(x)
        x = F.pad(x, self.pads) if self.uneven else x
        return F.conv2d(x, self.weight, None, self.stride, self.padding, self.dilation, self.groups)

    def _by_phases(self, x: torch.Tensor) -> torch.Tensor:
        """The same numbers: dilation by 2 is a plain convolution of every second pixel.

        PyTorch takes twice as long for depth-wise convolutions with dilation on CPUs. Exports, which are not in
        training, hold the plain call.
        """
        n, c, width, height = x.shape
        phases = x.view(n, c, width // 2, 2, height // 2, 2).permute(3, 5, 0, 1, 2, 4)
        phases = phases.reshape(4 * n, c, width // 2, height // 2).contiguous(memory_format=torch.channels_last)
        out = F.conv2d(phases, self.weight, None, padding=self.kernel_size[0] // 2, groups=self.groups)
        out = out.view(2, 2, n, c, width // 2, height // 2).permute(2, 3, 4, 0, 5, 1)
        return out.reshape(n, c, width, height).contiguous(memory_format=torch.channels_last)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class ConvNorm(nn.Sequential):
    """Convolution and batch norm, with ReLU6 after them where `activate` says so."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, stride: int = 1, groups: int = 1, activate: bool = True
    ) -> None:
        super().__init__()
        self.conv = SameConv2d(in_channels, out_channels, kernel, stride, groups)
        self.norm = _norm(out_channels)
        if activate:
            self.act = nn.ReLU6(inplace=True)


class InvertedResidual(nn.Module):
    """Expansion, depth-wise convolution and linear projection (Sandler 2018, arXiv 1801.04381)."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = expansion * in_channels
        self.expand = ConvNorm(in_channels, inner, 1) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(inner, inner, kernel, stride, groups=inner)
        self.project = ConvNorm(inner, out_channels, 1, activate=False)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, X, Y) to (N, out_channels, X / stride, Y / stride)."""
        out = self.project(self.depthwise(self.expand(x)))
        return out + x if self.residual else out


class EfficientNetLiteBackbone(nn.Module):
    """EfficientNet-Lite without its classifier.

    Args:
        name: a key of :data:`LITES`.
        in_channels: channels of the input image.
        output_stride: 32; or 16 or 8, where the last one or two reductions have dilation in place of stride.
        regularizer: makes what follows the third and the fourth feature map, DropBlock for one.
    """

    def __init__(
        self,
        name: str = "efficientnet_lite0",
        in_channels: int = 1,
        output_stride: int = 32,
        regularizer: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        super().__init__()
        self.name = name
        width, depth = LITES[name]
        self.taps: list[int] = [*_TAPS]  # an attribute, because TorchScript reads no module constants
        #: Channels of what :meth:`with_stem` puts first.
        self.stem_channels: int = scaled_channels(STAGES[0].channels, width)
        self.conv_stem = ConvNorm(in_channels, LITE_STEM, 3, stride=2)
        self.blocks = nn.ModuleList()
        #: Blocks of each of the seven stages.
        self.depths: list[int] = []
        channels, outputs = LITE_STEM, []
        for number, stage in enumerate(STAGES):
            out = scaled_channels(stage.channels, width)
            ends = number in (0, len(STAGES) - 1)  # their number of blocks is not scaled
            blocks: list[nn.Module] = []
            for block in range(stage.blocks if ends else math.ceil(stage.blocks * depth)):
                stride = 1 if block else stage.stride
                blocks.append(InvertedResidual(channels, out, stage.kernel, stride, stage.expansion))
                channels = out
            self.blocks.append(nn.Sequential(*blocks))
            self.depths.append(len(blocks))
            outputs.append(out)
        self.head = ConvNorm(channels, LITE_HEAD, 1)
        #: Channels and strides of the four feature maps.
        self.channels: list[int] = [*(outputs[tap] for tap in _TAPS), LITE_HEAD]
        self.strides: list[int] = [min(s, output_stride) for s in (4, 8, 16, 32)]
        if output_stride < 32:
            self._dilate(range(_FOURTH, len(STAGES)), 16 // output_stride)
        if output_stride < 16:
            self._dilate(range(_THIRD, _FOURTH), 1)
        self.regularize3, self.regularize4 = regularizer(), regularizer()
        self.frozen = 0

    def freeze(self, stages: int) -> None:
        """Let the stem and the first of the seven stages keep weights and statistics in training; 0 freezes nothing.

        Two stages, all that runs at strides 2 and 4, are nearly half of a training step.

        Raises:
            ValueError: there are not so many.
        """
        if not 0 <= stages <= len(self.blocks):
            raise ValueError(f"stages to freeze must be 0 to {len(self.blocks)}, not {stages}")
        self.frozen = stages
        for module in self._frozen_modules():
            module.requires_grad_(False)

    def _frozen_modules(self) -> list[nn.Module]:
        return [self.conv_stem, *list(self.blocks)[: self.frozen]] if self.frozen else []

    def train(self, mode: bool = True) -> EfficientNetLiteBackbone:
        """Set the mode; what is frozen stays in evaluation mode."""
        super().train(mode)
        for module in self._frozen_modules():
            module.eval()
        return self

    def _dilate(self, stages: range, before: int) -> None:
        """Take the stride out of the first of these stages; `before` is the dilation of what comes before them."""
        convolutions = [m for s in stages for m in self.blocks[s].modules() if isinstance(m, SameConv2d)]
        dilation = before
        for conv in (c for c in convolutions if c.kernel_size[0] > 1):
            # The strided convolution still reads the grid of the stage before.
            conv.dilation = (dilation, dilation)
            if conv.stride[0] == 2:
                conv.stride, dilation = (1, 1), 2 * before
            conv.set_pads()

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Map (N, in_channels, X, Y) to four feature maps (N, channels[i], X / strides[i], Y / strides[i]).

        X and Y must be divisible by 32: at other sizes the pads are not those that the weights were trained with.
        """
        return self.with_stem(image)[1:]

    def with_stem(self, image: torch.Tensor) -> list[torch.Tensor]:
        """The features at stride 2, (N, stem_channels, X / 2, Y / 2), and the four feature maps."""
        out: list[torch.Tensor] = []
        x = self.conv_stem(image)
        for number, stage in enumerate(self.blocks):
            x = stage(x)
            if number == self.taps[2]:
                x = self.regularize3(x)
            if number == 0 or number in self.taps:
                out.append(x)
        out.append(self.regularize4(self.head(x)))
        return out
