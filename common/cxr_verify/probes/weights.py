"""Whether files of weights are plain tensors and fit the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from .model import build_network, read_weights


def probe(root: Path, path: str, config: str | None = None) -> dict[str, Any]:
    """Read a file with weights_only and, with a config, compare it with the network.

    Returns:
        Whether `all_finite`; with a config the keys that are `missing`, `unexpected` or of another `shape`.
    """
    tensors = read_weights(root / path)
    answer: dict[str, Any] = {
        "count": len(tensors),
        "not_finite": [k for k, t in tensors.items() if t.is_floating_point() and not bool(torch.isfinite(t).all())],
    }
    if config:
        own = build_network(root, config).state_dict()
        answer["missing"] = [k for k in own if k not in tensors]
        answer["unexpected"] = [k for k in tensors if k not in own]
        answer["shape"] = [k for k in own if k in tensors and own[k].shape != tensors[k].shape]
    return answer
