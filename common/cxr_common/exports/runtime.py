"""The option ``runtime`` of inference: what runs the network."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.exports.onnx_network import OnnxNetwork

RUNTIMES = ("torch", "onnx")
_OPTION = "--runtime onnx"


def check_runtime(runtime: str, device: torch.device | str, inferer: Any) -> None:
    """Refuse a runtime that cannot run the network here.

    Args:
        runtime: one of :data:`RUNTIMES`.
        device: where the rest runs.
        inferer: of the bundle; one that has ``needs_gradients`` cannot do without PyTorch.

    Raises:
        InputError: ONNX Runtime is not installed, the device is no CPU, or the inferer needs gradients.
    """
    if runtime != "onnx":
        return
    if find_spec("onnxruntime") is None:
        raise InputError("ONNX Runtime is not installed", _OPTION, "pip install onnxruntime")
    if torch.device(device).type != "cpu":
        raise InputError(f"runs on the CPU, and the device is {device}", _OPTION, "add --device cpu")
    if getattr(inferer, "needs_gradients", False):
        action = "leave it out, or choose a method without gradients: --inferer#method cam"
        raise InputError("has no gradients, which this saliency method needs", _OPTION, action)


def on_runtime(network: nn.Module, runtime: str) -> nn.Module:
    """A network as the runtime, one of :data:`RUNTIMES`, runs it, in evaluation mode."""
    # channels_last is faster than PyTorch's own order in every bundle (docs/how-to/export.md, "Which is fastest"); of
    # GPUs that holds with half precision. Each pass of an evaluator sets evaluation mode; of a network that was in it,
    # no module has to be set back.
    if runtime == "onnx":
        return OnnxNetwork(network).eval()
    return network.to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
