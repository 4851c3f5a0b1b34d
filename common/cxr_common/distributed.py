"""The processes of a training run; sums over them, so that several learn what one would from the whole batch."""

from __future__ import annotations

import torch
from torch import distributed, nn


def process_count() -> int:
    """Processes of the run; 1 without ``torch.distributed``."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def is_first_process() -> bool:
    """Whether this process is the one that writes files."""
    return process_count() == 1 or distributed.get_rank() == 0


def unwrapped(network: nn.Module) -> nn.Module:
    """The network inside ``DistributedDataParallel``, or the network itself."""
    return network.module if isinstance(network, nn.parallel.DistributedDataParallel) else network


def sum_over_processes(value: torch.Tensor) -> torch.Tensor:
    """Add up a tensor over all processes.

    Every process must come here equally often and with the same shape, also when its part of the batch is empty.

    Args:
        value: this process' part, of any shape.

    Returns:
        The sum, equal in all processes. Its gradient is the local part's times the number of processes:
        ``DistributedDataParallel`` averages gradients, so a loss of such sums gets the gradient of the whole batch.
    """
    count = process_count()
    if count == 1:
        return value
    total = value.detach().clone()
    distributed.all_reduce(total)
    return total + count * (value - value.detach()) if value.requires_grad else total
