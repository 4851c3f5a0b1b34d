"""The inter-pixel relation network, IRN (Ahn 2019, arXiv 1904.05044), that WSMIS and CheXseg refine heatmaps with.

Facts of the published code: github.com/jiwoon-ahn/irn at a2ece00.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.networks.backbones import RESNETS, Backbone, ResNetBackbone
from cxr_common.networks.dilation import remove_stride
from cxr_common.networks.efficientnet_lite import LITES, EfficientNetLiteBackbone


class Projection(nn.Sequential):
    """1 x 1 convolution without bias -> group norm -> bilinear upsampling -> ReLU, in the published order."""

    def __init__(self, in_channels: int, out_channels: int, groups: int, scale: int = 1) -> None:
        parts: list[nn.Module] = [nn.Conv2d(in_channels, out_channels, 1, bias=False)]
        parts.append(nn.GroupNorm(groups, out_channels))
        if scale > 1:
            parts.append(nn.Upsample(scale_factor=scale, mode="bilinear", align_corners=False))
        super().__init__(*parts, nn.ReLU(inplace=True))


def crop_like(x: torch.Tensor, reference: torch.Tensor) -> torch.Tensor:
    """Cut (N, C, x, y) to the reference's spatial size, at its far ends."""
    return x[..., : reference.shape[-2], : reference.shape[-1]]


class InterPixelRelationNetwork(nn.Module):
    """Class boundaries and displacements to instance centres, from the frozen features of a classifier.

    Args:
        backbone: resnet18, resnet34 or resnet50 (published), whose last stage has no stride here, as published; or
            efficientnet_lite0 to efficientnet_lite2, where dilation takes the place of that stride, and the image is
            padded with zeros at its far ends to sides that 32 divides, for these need it.
        in_channels: channels of the image; 3 for photographs.
    """

    #: Cells may cover more than the image: what lies beyond it is cut off.
    crops = True

    def __init__(self, backbone: str = "resnet50", in_channels: int = 1) -> None:
        super().__init__()
        self.pads: bool = backbone in LITES
        self.backbone = _backbone(backbone, in_channels).requires_grad_(False)
        self.pool = nn.MaxPool2d(3, 2, 1)  # ResNet's, behind its stem; EfficientNet-Lite has none
        channels = [self.backbone.stem_channels, *self.backbone.channels]  # strides 4, 4, 8, 16, 16
        self.boundary = nn.ModuleList(Projection(c, 32, 4, s) for c, s in zip(channels, (1, 1, 2, 4, 4), strict=True))
        self.boundary_head = nn.Conv2d(5 * 32, 1, 1)
        self.displacement = nn.ModuleList(
            Projection(c, o, g, s)
            for c, o, g, s in zip(channels, (64, 128, 256, 256, 256), (8, 16, 16, 16, 16), (1, 1, 1, 2, 2), strict=True)
        )
        self.displacement_deep = Projection(3 * 256, 256, 16, 2)
        self.displacement_head = nn.Sequential(Projection(64 + 128 + 256, 256, 16), nn.Conv2d(256, 2, 1, bias=False))
        self.register_buffer("mean_shift", torch.zeros(2))

    def train(self, mode: bool = True) -> InterPixelRelationNetwork:
        """Set the mode of the branches; the backbone stays in evaluation mode, as published."""
        super().train(mode)
        self.backbone.eval()
        return self

    def features(self, image: torch.Tensor) -> list[torch.Tensor]:
        """Five frozen feature maps at strides 4, 4, 8, 16, 16 of images (N, in_channels, X, Y), with their pads."""
        with torch.no_grad():
            if self.pads:
                image = F.pad(image, (0, -image.shape[-1] % 32, 0, -image.shape[-2] % 32))
            found = self.backbone.with_stem(image)
            return [self.pool(found[0])] + found[1:]  # TorchScript unpacks no lists

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Map images (N, in_channels, X, Y) to (N, 3, ceil(X / 4), ceil(Y / 4)).

        Channel 0 is the boundary logit, 1 and 2 the displacement in cells along x and y. In evaluation mode the
        displacement's mean over the training set (``mean_shift``) is taken off.
        """
        features = self.features(image)
        fine = features[1]
        parts: list[torch.Tensor] = []
        for i, branch in enumerate(self.boundary):
            parts.append(crop_like(branch(features[i]), fine))
        boundary = self.boundary_head(torch.cat(parts, 1))
        d: list[torch.Tensor] = []
        for i, branch in enumerate(self.displacement):
            d.append(branch(features[i]))
        deep = self.displacement_deep(torch.cat([d[2], crop_like(d[3], d[2]), crop_like(d[4], d[2])], 1))
        displacement = self.displacement_head(torch.cat([d[0], d[1], crop_like(deep, fine)], 1))
        if not self.training:
            displacement = displacement - self.mean_shift[None, :, None, None]  # type: ignore[index]
        out = torch.cat([boundary, displacement], 1)
        if self.pads:
            out = out[..., : -(-image.shape[-2] // 4), : -(-image.shape[-1] // 4)]
        return out


def _backbone(name: str, in_channels: int) -> Backbone:
    """Features whose deepest map has stride 16."""
    if name in LITES:
        return EfficientNetLiteBackbone(name, in_channels, output_stride=16)
    if name not in RESNETS:
        raise ValueError(f"backbone must be one of {', '.join((*RESNETS, *LITES))}, not {name!r}")
    resnet = ResNetBackbone(name, in_channels)
    remove_stride(cast(nn.Module, resnet.layer4))
    return resnet


def relations(
    network: InterPixelRelationNetwork, image: torch.Tensor, crop_size: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Boundary probabilities and displacements as published: with the mirrored image, on a padded square.

    Args:
        network: in evaluation mode.
        image: (N, C, X, Y).
        crop_size: pad with zeros at the far ends to this size first, as published (512), because group norm sees the
            padding; None pads nothing.

    Returns:
        Boundary (N, 1, ceil(X / 4), ceil(Y / 4)) in [0, 1], of the mean logit of image and mirror image; displacement
        (N, 2, ...) along x and y of the image alone.

    Raises:
        ValueError: when the image is larger than `crop_size`.
    """
    width, height = image.shape[-2:]
    pair = torch.cat([image, image.flip(-2)])
    if crop_size is not None:
        if max(width, height) > crop_size:
            raise ValueError(f"the image is {width} x {height}, more than crop_size {crop_size}")
        # The mirror image is padded at the same ends as the image, as published.
        pair = F.pad(pair, (0, crop_size - height, 0, crop_size - width))
    plain, mirrored = network(pair)[..., : -(-width // 4), : -(-height // 4)].chunk(2)
    boundary = torch.sigmoid((plain[:, :1] + mirrored[:, :1].flip(-2)) / 2)
    return boundary, plain[:, 1:]
