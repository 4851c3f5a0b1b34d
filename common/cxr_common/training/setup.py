"""What a training run does before its first epoch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.networks.pretrained import load_backbone
from cxr_common.networks.weights import load_weights


def load_initial_weights(
    network: nn.Module, backbone_weights: str | Path | None = None, initial_weights: str | Path | None = None
) -> None:
    """Start a network from weights; without any it stays random.

    Args:
        network: with an attribute ``backbone``.
        backbone_weights: for the backbone: an ImageNet file in torchvision's key layout, or the model.pt of any network
            of this collection; or None.
        initial_weights: weights of the whole network, or None; they win.

    Raises:
        InputError: when a file does not fit.
    """
    if initial_weights is not None:
        load_weights(network, initial_weights)
        return
    if backbone_weights is not None:
        load_backbone(cast(Any, network.backbone), backbone_weights)


def freeze_stages(network: nn.Module, stages: int) -> None:
    """Let the first stages of a network's backbone keep their weights in training.

    Args:
        network: with an attribute ``backbone``.
        stages: how many; 0 freezes nothing, whatever the backbone.

    Raises:
        InputError: the backbone cannot be frozen, or has fewer stages.
    """
    if not stages:
        return
    backbone = cast(Any, network.backbone)
    if not hasattr(backbone, "freeze"):
        raise InputError(
            f"{type(backbone).__name__} has no stages to freeze", "frozen_stages", "take 0, or efficientnet_lite0"
        )
    try:
        backbone.freeze(stages)
    except ValueError as error:
        raise InputError(str(error), "frozen_stages", "take fewer") from None


def process_device() -> torch.device:
    """This process' device under torchrun: one GPU a process where there are GPUs, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device
