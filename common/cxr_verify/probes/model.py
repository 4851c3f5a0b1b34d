"""Builds a bundle's parts for the other probes."""

from __future__ import annotations

import ast
import operator
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from monai.bundle import ConfigParser

NETWORK = "network_def"
MAX_ELEMENTS = 2**28
_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}


def parser_of(root: Path, config: str) -> ConfigParser:
    """A parser of one config from any working directory. The bundle's folder is importable, as in MONAI's `run`."""
    sys.path.insert(1, str(root))
    parser = ConfigParser()
    parser.read_config(str(root / config))
    if (root / "configs" / "metadata.json").is_file():
        parser.read_meta(str(root / "configs" / "metadata.json"))
    parser["bundle_root"] = str(root)
    if "device" in parser:
        parser["device"] = "$torch.device('cpu')"
    return parser


def build_network(root: Path, config: str, weights: str | None = None) -> torch.nn.Module:
    """The network on the CPU in evaluation mode, with weights strictly loaded or random ones from a fixed seed."""
    torch.manual_seed(0)
    network = parser_of(root, config).get_parsed_content(NETWORK)
    if not isinstance(network, torch.nn.Module):
        raise TypeError(f"{NETWORK} is a {type(network).__name__}, not a torch.nn.Module")
    if weights:
        network.load_state_dict(read_weights(root / weights))
    return network.eval()


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """A file's tensors by name: the whole file's, or those under `model` or `state_dict`."""
    content = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(content, dict):
        raise TypeError(f"{path.name} holds a {type(content).__name__}, not tensors by name")
    for key in ("model", "state_dict"):
        if isinstance(content.get(key), dict):
            content = content[key]
    wrong = [str(k) for k, v in content.items() if not isinstance(v, torch.Tensor)]
    if wrong:
        raise TypeError(f"{path.name}: {', '.join(wrong[:5])} is not a tensor")
    return content


def spatial_sizes(shape: Sequence[int | str], n: int, any_size: int) -> tuple[int, ...]:
    """Sizes of an input from metadata: numbers, `*`, or arithmetic over n and p (here 1), such as `2**p*n`."""
    return tuple(s if isinstance(s, int) else any_size if s == "*" else _evaluate(s, n) for s in shape)


def _evaluate(text: str, n: int) -> int:
    def value(node: ast.AST) -> int:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name) and node.id in ("n", "p"):
            return n if node.id == "n" else 1
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            left, right = value(node.left), value(node.right)
            if isinstance(node.op, ast.Pow) and not (0 <= right <= 32 and abs(left) <= 1024):
                raise ValueError(f"{text!r} is out of bounds")
            return int(_OPERATORS[type(node.op)](left, right))
        raise ValueError(f"spatial_shape {text!r} is not arithmetic over n and p")

    return value(ast.parse(text, mode="eval").body)


def make_input(spec: dict[str, Any], n: int = 1, any_size: int = 1) -> torch.Tensor:
    """A random input (1, C, *sizes) from a fixed seed, as metadata describes it; float16 becomes float32."""
    sizes = spatial_sizes(spec["spatial_shape"], n, any_size)
    shape = (1, int(spec["num_channels"]), *sizes)
    if min(shape) < 1 or torch.Size(shape).numel() > MAX_ELEMENTS:
        raise ValueError(f"an input of {shape} cannot be made")
    dtype = getattr(torch, str(spec["dtype"]), None)
    if not isinstance(dtype, torch.dtype):
        raise ValueError(f"torch has no dtype {spec['dtype']!r}")
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    return x if dtype in (torch.float16, torch.bfloat16) else x.to(dtype)
