"""The detector of OXnet (Luo 2021, arXiv 2104.03218): RetinaNet with a global classification head beside it.

Facts of the published code: github.com/LLYXC/OXnet at 4fb67a8.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from monai.networks.blocks.feature_pyramid_network import FeaturePyramidNetwork, LastLevelP6P7
from torch import nn

from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import average_pool

SIZE_DIVISIBLE = 32


class DetectorOutput(NamedTuple):
    """What the network says of N images; A anchors in the order of :class:`~cxr_common.detection.AnchorGrid`.

    Attributes:
        class_logits: (N, A, C).
        box_deltas: (N, A, 4), codes of :class:`~cxr_common.detection.DetectionBoxCoder`.
        class_maps: (N, C, X / 32, Y / 32), the global head's logit maps.
        features: (N, M, X / 32, Y / 32), not negative; what the global head saw.
    """

    class_logits: torch.Tensor
    box_deltas: torch.Tensor
    class_maps: torch.Tensor
    features: torch.Tensor


class DetectionHead(nn.Sequential):
    """Convolutions shared by all levels and locations: four 3 x 3 with ReLU, and the prediction.

    MONAI's heads have a group norm that OXnet does not, and test their output for NaN on every level.

    Args:
        width: channels of the pyramid.
        out_channels: anchors of a location times values of an anchor.
        norm: "none" (published) or "group" (MONAI's eight groups).
        bias: that the prediction starts with; its weights start with 0.
    """

    def __init__(self, width: int, out_channels: int, norm: str = "none", bias: float = 0.0) -> None:
        layers: list[nn.Module] = []
        for _ in range(4):
            layers.append(nn.Conv2d(width, width, 3, padding=1))
            if norm == "group":
                layers.append(nn.GroupNorm(8, width))
            layers.append(nn.ReLU(inplace=True))
        for layer in layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(torch.as_tensor(layer.bias))
        prediction = nn.Conv2d(width, out_channels, 3, padding=1)
        nn.init.zeros_(prediction.weight)
        nn.init.constant_(torch.as_tensor(prediction.bias), bias)
        super().__init__(*layers, prediction)


def flatten_anchors(maps: torch.Tensor, per_cell: int) -> torch.Tensor:
    """Maps (N, per_cell * K, x, y) as rows (N, x * y * per_cell, K), anchor-major channels as published."""
    return maps.unflatten(1, (per_cell, -1)).permute(0, 3, 4, 1, 2).flatten(1, 3)


class RetinaNet(nn.Module):
    """Backbone, feature pyramid, class and box heads, and the global head on the last stage.

    Args:
        num_classes: findings to detect; there is no background class.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``; the paper's best is resnet101, its script's default resnet50.
        levels: pyramid levels, from 2 to 5 up to 5 or 7; published 2 to 7.
        width: channels of pyramid and heads; published 256. A training step of resnet18 on two images of 256 pixels
            takes 0.9, 1.2 or 2.4 s of one core at a width of 64, 128 or 256, hence 128.
        anchors_per_cell: 9 for three ratios and three scales.
        head_norm: "none" (published) or "group".
        prior: probability that an anchor is positive, which the class head starts with (RetinaNet, section 4.1).
        frozen_batch_norm: keep the backbone's batch norm in evaluation mode in training, as published. It needs trained
            backbone weights: from random ones nothing would be normalised.

    Raises:
        ValueError: when a setting is not known.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int = 1,
        backbone: str = "resnet50",
        levels: Sequence[int] = (3, 4, 5, 6, 7),
        width: int = 128,
        anchors_per_cell: int = 9,
        head_norm: str = "none",
        prior: float = 0.01,
        frozen_batch_norm: bool = False,
    ) -> None:
        super().__init__()
        levels = list(levels)
        if not levels or levels not in [list(range(a, b)) for a in (2, 3, 4, 5) for b in (6, 8)]:
            raise ValueError(f"levels must run from 2, 3, 4 or 5 to 5 or 7 without a gap, not {levels}")
        if head_norm not in ("none", "group"):
            raise ValueError(f"head_norm must be none or group, not {head_norm!r}")
        self.anchors_per_cell = anchors_per_cell
        self.frozen_batch_norm = frozen_batch_norm
        self.backbone = make_backbone(backbone, in_channels)
        self.stages = list(range(levels[0] - 2, 4))
        channels = [self.backbone.channels[stage] for stage in self.stages]
        extra = None
        if levels[-1] == 7:
            extra = LastLevelP6P7(2, channels[-1], width)
            extra.use_P5 = False  # which MONAI would set where both have the same width
        self.fpn = FeaturePyramidNetwork(2, channels, width, extra)
        self.class_head = DetectionHead(width, anchors_per_cell * num_classes, head_norm, math.log(prior / (1 - prior)))
        self.box_head = DetectionHead(width, anchors_per_cell * 4, head_norm)
        # Zero-initialised as published, lest its gradient explode.
        self.global_head = nn.Conv2d(channels[-1], num_classes, 1, bias=False)
        nn.init.zeros_(self.global_head.weight)

    def train(self, mode: bool = True) -> RetinaNet:
        """Set the mode; batch norm stays in evaluation mode where it is frozen."""
        super().train(mode)
        if self.frozen_batch_norm:
            for module in self.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def forward(self, image: torch.Tensor) -> DetectorOutput:
        """Detect in images (N, in_channels, X, Y). Errors as :meth:`predict`."""
        return self.predict(image)

    def predict(self, image: torch.Tensor) -> DetectorOutput:
        """What the network says of images (N, in_channels, X, Y).

        Raises:
            ValueError: when a side is no multiple of 32.
        """
        classes, boxes, features = self.levels(image)
        logits: list[torch.Tensor] = []
        deltas: list[torch.Tensor] = []
        for level in classes:
            logits.append(flatten_anchors(level, self.anchors_per_cell))
        for level in boxes:
            deltas.append(flatten_anchors(level, self.anchors_per_cell))
        return DetectorOutput(torch.cat(logits, 1), torch.cat(deltas, 1), self.global_head(features), features)

    def levels(self, image: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
        """The heads' maps of each level of the pyramid, and the features of the last stage (N, M, X / 32, Y / 32).

        Args:
            image: (N, in_channels, X, Y).

        Returns:
            Class logits (N, anchors_per_cell * C, x, y) and box deltas (N, anchors_per_cell * 4, x, y) of each level;
            the features.

        Raises:
            ValueError: when a side is no multiple of 32.
        """
        # A literal, because TorchScript reads no module constants.
        if not torch.jit.is_tracing() and (image.shape[-2] % 32 != 0 or image.shape[-1] % 32 != 0):
            raise ValueError(f"the image's sides must be multiples of 32, got {image.shape}")
        features = self.backbone(image)
        stages: dict[str, torch.Tensor] = {}
        for stage in self.stages:
            stages[str(stage)] = features[stage]
        pyramid = self.fpn(stages)
        classes: list[torch.Tensor] = []
        boxes: list[torch.Tensor] = []
        for level in pyramid.values():
            classes.append(self.class_head(level))
            boxes.append(self.box_head(level))
        return classes, boxes, features[3]

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of the global head's maps (N, C, x, y): their mean, which needs no attention."""
        return average_pool(maps)
