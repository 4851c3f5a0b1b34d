"""Exports the network and compares what the export gives."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch

from .model import build_network, make_input
from .network import SIZES


def probe(
    root: Path, config: str, image: dict[str, Any], weights: str | None, kind: str, shipped: str | None = None
) -> dict[str, Any]:
    """Export to `torchscript` or `onnx`, or load a `shipped` TorchScript file.

    Returns:
        `difference`: the largest between its output and the network's; `how` it was made.
    """
    network = build_network(root, config, weights)
    x, expected = _usable(network, image)
    if not isinstance(expected, torch.Tensor):
        raise TypeError(f"the network gives a {type(expected).__name__}; exports are compared on one tensor")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if shipped:
            output, how = torch.jit.load(root / shipped, map_location="cpu").eval()(x), shipped
        else:
            output, how = _script(network, x) if kind == "torchscript" else _onnx(network, x)
    if output.shape != expected.shape:
        raise ValueError(f"gives {tuple(output.shape)}, the network {tuple(expected.shape)}")
    return {"difference": float((output - expected).abs().max()), "how": how}


def _usable(network: torch.nn.Module, image: dict[str, Any]) -> tuple[torch.Tensor, Any]:
    reasons = []
    for n, any_size in SIZES[1:]:
        x = make_input(image, n, any_size)
        try:
            with torch.no_grad():
                return x, network(x)
        except Exception as error:
            reasons.append(f"{tuple(x.shape)}: {error}")
    raise ValueError("; ".join(reasons))


def _script(network: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, str]:
    exported, how = scripted(network, x)
    torch.jit.save(exported, "model.ts")
    with torch.no_grad():
        return torch.jit.load("model.ts")(x), how


def scripted(network: torch.nn.Module, x: torch.Tensor) -> tuple[torch.jit.ScriptModule, str]:
    """A network as TorchScript, and how it became so: what cannot be scripted may still be traced."""
    try:
        return torch.jit.script(network), "scripted"
    except Exception:  # TorchScript has no error of its own for all that it does not know
        return torch.jit.trace(network, x, check_trace=False), "traced"


def _onnx(network: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, str]:
    import onnx

    torch.onnx.export(network, (x,), "model.onnx", input_names=["image"], output_names=["pred"])
    onnx.checker.check_model("model.onnx")
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        (output,) = ReferenceEvaluator("model.onnx").run(None, {"image": x.numpy()})
        return torch.as_tensor(output), "run by onnx's reference evaluator"
    session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])
    return torch.as_tensor(session.run(None, {"image": x.numpy()})[0]), "run by ONNX Runtime"
