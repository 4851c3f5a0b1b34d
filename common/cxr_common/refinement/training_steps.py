"""What training the inter-pixel relation network needs besides a trainer (github.com/jiwoon-ahn/irn at a2ece00)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from monai.data import DataLoader, Dataset
from torch import nn

from cxr_common.distributed import is_first_process
from cxr_common.errors import InputError
from cxr_common.files import as_path
from cxr_common.networks.weights import load_weights, save_weights
from cxr_common.refinement.network import InterPixelRelationNetwork
from cxr_common.training.setup import load_initial_weights


def load_frozen_backbone(
    network: InterPixelRelationNetwork,
    backbone_weights: str | Path | None = None,
    initial_weights: str | Path | None = None,
) -> None:
    """Start the network from weights; its backbone never learns, so without any there is nothing to learn from.

    Args:
        network: the relation network.
        backbone_weights: see :func:`~cxr_common.training.load_initial_weights`.
        initial_weights: see there.

    Raises:
        InputError: neither is given, or a file does not fit.
    """
    if backbone_weights is None and initial_weights is None:
        action = "give backbone_weights: a classifier bundle's model.pt, or an ImageNet file"
        raise InputError("the relation network's backbone stays as it is, and it has no weights", "train.yaml", action)
    load_initial_weights(network, backbone_weights, initial_weights)


def relation_parameter_groups(network: InterPixelRelationNetwork, learning_rate: float) -> list[dict[str, Any]]:
    """Parameters of the two branches for an optimiser; displacement learns ten times as fast, as published.

    The frozen backbone is in none.
    """
    boundary = [*network.boundary.parameters(), *network.boundary_head.parameters()]
    branches: tuple[nn.Module, ...] = (network.displacement, network.displacement_deep, network.displacement_head)
    displacement = [p for branch in branches for p in branch.parameters()]
    return [{"params": boundary, "lr": learning_rate}, {"params": displacement, "lr": 10 * learning_rate}]


@torch.no_grad()
def calibrate_mean_shift(
    network: InterPixelRelationNetwork,
    dataset: Dataset,
    output_dir: str | Path,
    device: torch.device | str = "cpu",
    batch_size: int = 16,
) -> torch.Tensor | None:
    """Store the mean displacement over the training images in a run's best weights, as published.

    Args:
        network: gets the weights of ``output_dir/model.pt``.
        dataset: training items with "image" (C, X, Y).
        output_dir: folder of the run; its model.pt is replaced.
        device: where to run.
        batch_size: images at a time.

    Returns:
        The mean displacement (2,), cells along x and y; None in all but the first process of several.
    """
    if not is_first_process():
        return None
    path = as_path(output_dir) / "model.pt"
    load_weights(network, path)
    shift = torch.as_tensor(network.mean_shift)
    shift.zero_()
    network.to(device).eval()
    total, cells = torch.zeros(2, dtype=torch.float64), 0
    for batch in DataLoader(dataset, batch_size=batch_size):
        displacement = network(torch.as_tensor(batch["image"]).to(device))[:, 1:].double().cpu()
        total += displacement.sum((0, 2, 3))
        cells += displacement[:, 0].numel()
    torch.as_tensor(network.mean_shift).copy_(total / max(cells, 1))
    save_weights(network, path)
    return torch.as_tensor(network.mean_shift).cpu()
