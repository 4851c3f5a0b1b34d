"""Activations of a layer and the gradients of every class score with respect to them, in one backward pass.

``monai.visualize.GradCAM`` and its kin take one class a call, keep a graph below the layer, compute in the network's
precision, and their default normaliser turns maps upside down; the maps themselves agree (a test compares them).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.localization.saliency.mode import evaluating

#: exp(logit) is cut here, so that the third power of its gradient, which Grad-CAM++ takes, is finite in float64.
LARGEST_EXPONENT = 200.0


class LayerGradients(NamedTuple):
    """What :func:`layer_gradients` gives; no tensor of it is part of a graph.

    Attributes:
        logits: (N, C) class logits.
        activation: (N, K, x, y) output of the layer.
        gradient: (N, C, K, x, y) gradient of each class's score; float64 where the score is exp(logit).
    """

    logits: torch.Tensor
    activation: torch.Tensor
    gradient: torch.Tensor


def layer_gradients(
    network: nn.Module, image: torch.Tensor, layer: str | nn.Module, score: Literal["logit", "exp"] = "logit"
) -> LayerGradients:
    """Class logits, a layer's activation and the gradient of every class's score with respect to it.

    Runs in evaluation mode, in float32 or wider and whatever the caller's grad mode; parameters may be frozen. Nothing
    below the layer is stored, and the network is left as it was: flags, hooks and the parameters' ``grad``.

    Args:
        network: ``network.pool(network(image))`` are its class logits.
        image: (N, C_in, X, Y).
        layer: dotted name such as "backbone.layer4", or the module itself; its output is (N, K, x, y).
        score: whose gradient to take, the logit or its exponential.

    Raises:
        InputError: when the network has no such layer, or the layer has no one output that the logits depend on.
        ValueError: when the score is unknown.
    """
    if score not in ("logit", "exp"):
        raise ValueError(f'the score must be "logit" or "exp", not {score!r}')
    outputs: list[torch.Tensor] = []

    def cut(_module: nn.Module, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        if not isinstance(output, torch.Tensor) or output.ndim != 4:
            raise InputError("its output is not one (N, K, x, y) tensor", f"layer {layer_name(layer)}")
        # Recording starts here, so the layers below keep nothing. Cloned twice: the output may share memory with the
        # layer's input (a ReLU in place), and the next operation may work in place on what it gets.
        torch.set_grad_enabled(True)
        outputs.append(output.detach().clone().requires_grad_())
        return outputs[-1].clone()

    handle = find_layer(network, layer).register_forward_hook(cut)
    try:
        with torch.inference_mode(False), torch.no_grad(), evaluating(network):
            with torch.autocast(image.device.type, enabled=False):
                logits = class_logits(network, image)[0]
                if len(outputs) != 1:
                    raise InputError(f"runs {len(outputs)} times in a pass, not once", f"layer {layer_name(layer)}")
                gradient = _gradients_of_columns(logits, outputs[0])
    finally:
        handle.remove()
    if gradient is None:
        raise InputError("the class logits do not depend on it", f"layer {layer_name(layer)}")
    logits, activation = logits.detach(), outputs[0].detach()
    if score == "exp":
        gradient = gradient * logits.double().clamp(max=LARGEST_EXPONENT).exp()[..., None, None, None]
    return LayerGradients(logits, activation, gradient)


def class_logits(network: nn.Module, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Class logits (N, C) and logit maps (N, C, x, y) of images, in the precision of the network's parameters."""
    # A MetaTensor has no batched backward; a tensor made under inference_mode cannot be recorded, its copy can.
    plain = image.as_subclass(torch.Tensor)
    plain = plain.clone() if plain.is_inference() else plain
    maps = network(plain.float() if plain.dtype in (torch.float16, torch.bfloat16) else plain)
    return network.pool(maps), maps  # type: ignore[operator]  # a method, "Tensor | Module" to mypy


def _gradients_of_columns(logits: torch.Tensor, activation: torch.Tensor) -> torch.Tensor | None:
    """Gradients (N, C, K, x, y) of logits (N, C); None when the activation (N, K, x, y) has no part in them."""
    if not logits.requires_grad:
        return None
    n, c = logits.shape
    # In evaluation mode an image's logits depend on its own activation only: one row per class serves the whole batch.
    rows = torch.eye(c, dtype=logits.dtype, device=logits.device)[:, None].expand(c, n, c)
    (gradient,) = torch.autograd.grad(logits, activation, rows, is_grads_batched=True, allow_unused=True)
    return None if gradient is None else gradient.movedim(0, 1)


def find_layer(network: nn.Module, layer: str | nn.Module) -> nn.Module:
    """The module of a dotted name, or the module itself when the network holds it.

    Raises:
        InputError: when the network has none; the text lists the names where the search ended.
    """
    if isinstance(layer, nn.Module):
        if any(module is layer for module in network.modules()):
            return layer
        raise InputError("is not part of the network", f"layer {layer_name(layer)}")
    module, path = network, ""
    for part in layer.split("."):
        children = dict(module.named_children())
        if part not in children:
            raise InputError(
                f"the network has no layer {layer!r}", action=f"{path or 'it'} has {', '.join(children) or 'none'}"
            )
        module, path = children[part], f"{path}.{part}".lstrip(".")
    return module


def layer_name(layer: str | nn.Module) -> str:
    """A layer as an error should call it."""
    return repr(layer) if isinstance(layer, str) else type(layer).__name__
