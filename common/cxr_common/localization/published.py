"""From a published PYLON checkpoint to our network.

Key layout read in github.com/cmb-chula/pylon at e2d493c (2021) and 79fcb36 (2020); Apache-2.0.
"""

from __future__ import annotations

import re
from typing import Any

import torch

from cxr_common.axes import transpose_kernels
from cxr_common.errors import InputError
from cxr_common.localization.pylon import Pylon
from cxr_common.networks.pretrained import convert_backbone, resnet_name
from cxr_common.networks.weights import check_keys

_ENCODER = "net.encoder."
_PART = {"conv": "0", "bn": "1"}
# (published pattern, ours); \1.. as in re.sub, and the part conv / bn becomes the index in ConvNormRelu.
_RULES = (
    (re.compile(r"^net\.decoder\.pa\.(mid)\.0\.(conv|bn)\.(.+)$"), "attention.{0}.{part}.{2}"),
    (re.compile(r"^net\.decoder\.pa\.(down[123])\.1\.(conv|bn)\.(.+)$"), "attention.{0}.{part}.{2}"),
    (re.compile(r"^net\.decoder\.pa\.(conv[123])\.(conv|bn)\.(.+)$"), "attention.{0}.{part}.{2}"),
    (re.compile(r"^net\.decoder\.up(\d)\.conv1\.(conv|bn)\.(.+)$"), "up.{up}.lateral.0.{part}.{2}"),
    (re.compile(r"^net\.decoder\.up(\d)\.conv1\.([01])\.(conv|bn)\.(.+)$"), "up.{up}.lateral.{1}.{part}.{3}"),
    (re.compile(r"^net\.segmentation_head\.0\.(weight|bias)$"), "head.{0}"),
)


def _rename(key: str) -> str | None:
    for pattern, ours in _RULES:
        match = pattern.match(key)
        if match:
            groups = match.groups()
            part = next((_PART[g] for g in groups if g in _PART), "")
            up = 3 - int(groups[0]) if groups[0].isdigit() else 0
            return ours.format(*groups, part=part, up=up)
    return None


def _clean(state_dict: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Undo the wrappers: old files keep the weights under "net"; DataParallel puts "module." in front."""
    inner: Any = state_dict.get("net")
    state_dict = inner if isinstance(inner, dict) else state_dict
    state = {k.removeprefix("module."): v for k, v in state_dict.items()}
    if state and not any(k.startswith("net.") for k in state):
        state = {f"net.{k}": v for k, v in state.items()}
    return state


def pylon_settings(state_dict: dict[str, torch.Tensor]) -> dict:
    """Read the arguments of :class:`Pylon` off a published state dict.

    Raises:
        InputError: when the keys that decide the variant are absent.
    """
    state = _clean(state_dict)
    try:
        stem = state["net.encoder.conv1.weight"]
        mid = state["net.decoder.pa.mid.0.conv.weight"]
        head = state["net.segmentation_head.0.weight"]
        first = state.get("net.decoder.up3.conv1.0.conv.weight")
        lateral = first if first is not None else state["net.decoder.up3.conv1.conv.weight"]
    except KeyError as error:
        raise InputError(
            f"not a PYLON checkpoint: {error.args[0]} is missing", action="pass the state dict in model.pkl"
        ) from None
    encoder_keys = {k.removeprefix(_ENCODER) for k in state if k.startswith(_ENCODER)}
    return {
        "num_classes": head.shape[0],
        "in_channels": stem.shape[1],
        "backbone": resnet_name(encoder_keys),
        "decoder_channels": mid.shape[0],
        "lateral_convolutions": 1 if first is None else 2,
        "pyramid_attention": "net.decoder.pa.down1.1.conv.weight" in state,
        "up_blocks": sum(any(k.startswith(f"net.decoder.up{i}.") for k in state) for i in (1, 2, 3)),
        "lateral_kernel": lateral.shape[-1],
        "head_kernel": head.shape[-1],
    }


def from_published_pylon(state_dict: dict[str, torch.Tensor]) -> Pylon:
    """Build our network from a published PYLON state dict.

    Args:
        state_dict: the content of the authors' ``model.pkl``; the variant (one or two lateral convolutions, attention
            on or off, number of classes ...) is read off its keys.

    Returns:
        The network in eval mode, in the dtype of the checkpoint, kernels transposed to (x, y).

    Raises:
        InputError: when keys are unknown, missing or of the wrong shape; one error names them.
    """
    settings = pylon_settings(state_dict)
    network = Pylon(**settings)
    state, unknown = {}, []
    cleaned = _clean(state_dict)
    encoder = {k.removeprefix(_ENCODER): v for k, v in cleaned.items() if k.startswith(_ENCODER)}
    state.update({f"backbone.{k}": v for k, v in convert_backbone(encoder, settings["in_channels"]).items()})
    decoder = {}
    for key, value in cleaned.items():
        if key.startswith(_ENCODER):
            continue
        name = _rename(key)
        if name is None:
            unknown.append(key)
        else:
            if not settings["pyramid_attention"]:
                name = name.replace("attention.mid.", "attention.")
            decoder[name] = value
    state.update(transpose_kernels(decoder))
    check_keys(state | dict.fromkeys(unknown, torch.empty(0)), network.state_dict(), "published PYLON checkpoint")
    network.to(cleaned["net.segmentation_head.0.weight"].dtype)
    network.load_state_dict(state, strict=True)
    return network.eval()
