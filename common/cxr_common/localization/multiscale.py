"""Multiscale class activation maps with learned relevance of the stages, after Sedai 2018 (arXiv 1808.08280).

The paper's abstract gives the principle: feature maps of shallow and deep stages, a convex combination of them learned
for every class, the same weights for the attention map. Its text was not at hand; the rest is our own choice.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.networks.backbones import make_backbone
from cxr_common.networks.pooling import average_pool


class StageMaps(nn.Module):
    """Class activation maps of one stage, with weights whose size is the same in all stages.

    Features are standardised channel by channel and a class' weights over them have unit norm; otherwise a stage could
    count for much with a small relevance and large weights, and the relevance would say nothing. What is left is the
    correlation of a stage's channels: the more of them say the same, the larger its maps can be.
    """

    def __init__(self, channels: int, num_classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.weight = nn.Parameter(torch.randn(num_classes, channels))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map features (N, channels, x, y) to maps (N, num_classes, x, y)."""
        return F.conv2d(self.norm(features), F.normalize(self.weight, dim=1)[:, :, None, None])


class MultiscaleClassifier(nn.Module):
    r"""Backbone, class activation maps of several stages, and their convex combination class by class.

    .. math:: M_c = b_c + g_c \sum_l \alpha_{l,c} \operatorname{resize}(M_{l,c}), \quad
        \alpha_{\cdot,c} = \operatorname{softmax}(\theta_{\cdot,c})

    The gain :math:`g_c > 0` belongs to a class, not to a stage. A class logit is the mean of its map. Maps are resized
    bilinearly to the finest stage's; at input sizes that are multiples of the coarsest stride that keeps every stage's
    mean, so the logit is the same convex combination of the stages' logits. With one stage this is a class activation
    map (Zhou 2016).

    Args:
        num_classes: findings to tell apart.
        in_channels: channels of the image.
        backbone: one of ``backbones.BACKBONES``.
        stages: of the backbone's four stages, which have class maps; 0 is the finest.
    """

    def __init__(
        self, num_classes: int, in_channels: int = 1, backbone: str = "resnet50", stages: Sequence[int] = (0, 1, 2, 3)
    ) -> None:
        super().__init__()
        if not stages or any(stage not in range(4) for stage in stages) or len({*stages}) < len(stages):
            raise ValueError(f"stages must be some of 0, 1, 2 and 3, each once, not {list(stages)}")
        self.backbone = make_backbone(backbone, in_channels)
        self.stages = sorted(stages)
        self.maps = nn.ModuleList(StageMaps(self.backbone.channels[s], num_classes) for s in self.stages)
        self.relevance_logits = nn.Parameter(torch.zeros(num_classes, len(self.stages)))
        self.log_gain = nn.Parameter(torch.zeros(num_classes))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    @torch.jit.export
    def relevance(self) -> torch.Tensor:
        """Layer relevance weights (num_classes, stages): not negative, 1 in sum over the stages."""
        return self.relevance_logits.softmax(1)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to logit maps (N, num_classes, X / s, Y / s), s of the finest stage."""
        features = self.backbone(image)
        size = features[self.stages[0]].shape[-2:]
        weights = self.log_gain.exp()[:, None] * self.relevance()
        total = self.bias[None, :, None, None]
        for i, maps in enumerate(self.maps):
            coarse = weights[None, :, i, None, None] * maps(features[self.stages[i]])
            total = total + F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
        return total

    @torch.jit.export
    def pool(self, maps: torch.Tensor) -> torch.Tensor:
        """Class logits (N, C) of logit maps (N, C, x, y): their mean."""
        return average_pool(maps)

    @torch.jit.unused
    def describe(self, labels: Sequence[str]) -> dict[str, dict[str, dict[str, float]]]:
        """What a findings record tells about the model: "layer_relevance", class -> stride -> weight."""
        names = [f"stride {self.backbone.strides[s]}" for s in self.stages]
        rows = self.relevance().tolist()
        return {
            "layer_relevance": {
                label: {name: round(value, 4) for name, value in zip(names, row, strict=True)}
                for label, row in zip(labels, rows, strict=True)
            }
        }
