"""Backbone weights from elsewhere: ImageNet's, in torchvision's layout or EfficientNet-Lite's, or our own networks'."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import nn

from cxr_common.axes import transpose_kernels
from cxr_common.errors import InputError
from cxr_common.networks.backbones import Backbone
from cxr_common.networks.efficientnet_lite import EfficientNetLiteBackbone
from cxr_common.networks.lite_weights import (
    check_lite_weights,
    convert_lite,
    grey_stem,
    installed_lite_weights,
    is_lite_layout,
)
from cxr_common.networks.weight_checks import check_values
from cxr_common.networks.weights import check_keys, read_state_dict

#: In place of a path: the ImageNet weights that an installed package holds.
IMAGENET = "imagenet"

_STEM = {"resnet": "conv1.weight", "densenet": "conv0.weight"}
# What other programs put beside "backbone.", and no network of the collection has: torchvision and OpenMMLab.
_FOREIGN = ("classifier", "aux_classifier", "rpn", "roi_heads", "decode_head", "auxiliary_head", "neck", "bbox_head")
# torchvision's first DenseNet files wrote "norm.1" for "norm1"; MONAI nests a dense layer's parts under "layers".
_DENSE_LAYER = re.compile(r"^(denseblock\d+\.denselayer\d+)\.(norm|conv)\.?([12])\.(.+)$")


def resnet_name(keys: set[str]) -> str:
    """Which ResNet a set of torchvision keys belongs to: resnet18, resnet34 or resnet50."""
    if "layer1.0.conv3.weight" in keys:
        return "resnet50"
    return "resnet34" if "layer1.2.conv1.weight" in keys else "resnet18"


def convert_backbone(state: dict[str, torch.Tensor], in_channels: int = 1) -> dict[str, torch.Tensor]:
    """Rename and transpose a torchvision ResNet or DenseNet-121 state dict to our backbone's.

    Args:
        state: torchvision keys; the classifier (``fc``, ``classifier``) is dropped.
        in_channels: channels of our image; where it is 1 and the file has 3, the first kernels are summed over colour,
            which gives a grey image the response its three equal channels had.

    Returns:
        Weights for :class:`ResNetBackbone` or :class:`DenseNetBackbone`, kernels transposed to (x, y).
    """
    out = {}
    for key, value in state.items():
        key = key.removeprefix("features.")
        if key.startswith(("fc.", "classifier.")):
            continue
        key = _DENSE_LAYER.sub(r"\1.layers.\2\3.\4", key)
        out[key] = grey_stem(value) if key in _STEM.values() and in_channels == 1 else value
    return transpose_kernels(out)


def imagenet_weights(backbone: nn.Module) -> Path:
    """The installed file of ImageNet weights for a backbone.

    Raises:
        InputError: the package is not installed, its file is not the published one, or none holds weights of this
            backbone.
    """
    if not isinstance(backbone, EfficientNetLiteBackbone):
        raise InputError(
            f"no package holds ImageNet weights of {type(backbone).__name__}",
            f"backbone_weights: {IMAGENET}",
            "take --backbone efficientnet_lite0, or give the path of a file in torchvision's layout",
        )
    path = installed_lite_weights(backbone.name)
    check_lite_weights(backbone.name, path)
    return path


def load_backbone(backbone: Backbone, path: str | Path) -> None:
    """Load weights of a backbone.

    Args:
        backbone: whose weights are replaced.
        path: "imagenet" for those of the installed package (EfficientNet-Lite); or an ImageNet file in the layout of
            torchvision or of ``efficientnet-lite-pytorch``; or a model.pt of this collection, of which ``backbone.*``.

    Raises:
        InputError: when the package is not installed, the file is unreadable, or its keys or shapes are another
            network's.
    """
    path = imagenet_weights(backbone) if str(path) == IMAGENET else path
    in_channels = next(p for p in backbone.parameters()).shape[1]
    state = read_state_dict(path)
    if own := {k.removeprefix("backbone."): v for k, v in state.items() if k.startswith("backbone.")}:
        if foreign := next((key for key in state if key.split(".")[0] in _FOREIGN), None):
            reason = f"is another program's network ({foreign}), whose kernels lie the other way round"
            raise InputError(reason, path, "save its backbone alone, without 'backbone.' before the names")
        state = own
    elif isinstance(backbone, EfficientNetLiteBackbone) and is_lite_layout(state):
        state = convert_lite(state, backbone, in_channels)
    else:
        state = convert_backbone(state, in_channels)
    expected = backbone.state_dict()
    # Files older than torch 0.4.1 have no batch counters; they matter to no result in eval mode.
    for key, value in expected.items():
        if key.endswith("num_batches_tracked"):
            state.setdefault(key, torch.zeros_like(value))
    check_keys(state, expected, path)
    check_values(state, expected, path)
    backbone.load_state_dict(state, strict=True)
