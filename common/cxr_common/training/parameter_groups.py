"""Learning rates that differ within a network."""

from __future__ import annotations

from typing import Any

from torch import nn


def backbone_slower(network: nn.Module, learning_rate: float, factor: float = 0.1) -> list[dict[str, Any]]:
    """Two groups for an optimiser: the backbone at `factor` times the rate of everything else (WSMIS' U-Net).

    Args:
        network: with parameters below ``backbone``; a ``DistributedDataParallel`` wrapper is looked through.
        learning_rate: of what is not the backbone.
        factor: see above.
    """
    named = [(name.removeprefix("module."), p) for name, p in network.named_parameters() if p.requires_grad]
    backbone = [p for name, p in named if name.startswith("backbone.")]
    others = [p for name, p in named if not name.startswith("backbone.")]
    return [{"params": backbone, "lr": factor * learning_rate}, {"params": others, "lr": learning_rate}]
