"""Finer feature maps by dilation instead of stride (Yu 2017; torchvision's ``replace_stride_with_dilation``)."""

from __future__ import annotations

from torch import nn


def dilate_resnet_stage(stage: nn.Module, before: int) -> None:
    """Take the stride of 2 out of a ResNet stage, in place; weights and receptive fields stay.

    Args:
        stage: blocks, the first of which has a stride of 2.
        before: dilation of the stage before; this one's becomes twice that.
    """
    for conv in (m for m in stage.modules() if isinstance(m, nn.Conv2d)):
        strided = conv.stride == (2, 2)
        if conv.kernel_size == (3, 3):
            # The strided convolution still reads the grid of the stage before.
            conv.dilation = conv.padding = (before, before) if strided else (2 * before, 2 * before)
        conv.stride = (1, 1)


def remove_stride(stage: nn.Module) -> None:
    """Take the stride out of a stage, in place, without dilation: the receptive field shrinks (IRN's backbone)."""
    for conv in (m for m in stage.modules() if isinstance(m, nn.Conv2d)):
        conv.stride = (1, 1)


def dilate_dense_block(block: nn.Module, dilation: int) -> None:
    """Give the 3 x 3 convolutions of a dense block a dilation, in place."""
    for conv in (m for m in block.modules() if isinstance(m, nn.Conv2d)):
        if conv.kernel_size == (3, 3):
            conv.dilation = conv.padding = (dilation, dilation)
