"""A network's evaluation mode for the length of one pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode; afterwards every module has its own training flag again.

    ``monai.networks.eval_mode`` restores the root's flag to all modules, which would set a frozen batch norm training.
    """
    flags = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, training in flags:
            module.training = training
