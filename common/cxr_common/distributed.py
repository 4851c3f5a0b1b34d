"""The processes of a training run; sums over them, so that several learn what one would from the whole batch."""

from __future__ import annotations

import os

import torch
from torch import distributed, nn

from cxr_common.errors import InputError

_START = (
    "start it as torchrun --standalone --nproc_per_node 2 -m monai.bundle run ..., or leave multi_gpu_train.yaml out"
)


def process_count() -> int:
    """Processes of the run; 1 without ``torch.distributed``."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def join_processes() -> None:
    """Join the processes that torchrun started: by NCCL where there are GPUs, else by gloo.

    Raises:
        InputError: torchrun has not started this process, there are fewer GPUs than processes, or the others cannot be
            reached.
    """
    if "LOCAL_RANK" in os.environ:
        # In a Slurm job ignite takes this number from Slurm, to which all processes of a machine's torchrun are one.
        os.environ["SLURM_LOCALID"] = os.environ["LOCAL_RANK"]
    if distributed.is_initialized():
        return
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        raise InputError("several processes are asked for, and torchrun starts them", "multi_gpu_train.yaml", _START)
    gpus, wanted = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if 0 < gpus < wanted:
        raise InputError(f"{wanted} processes on {gpus} GPUs", "multi_gpu_train.yaml", f"--nproc_per_node {gpus}")
    try:
        distributed.init_process_group("nccl" if gpus else "gloo")
    except (RuntimeError, ValueError) as error:
        reason = f"the processes cannot be joined ({str(error).splitlines()[0]})"
        raise InputError(reason, "multi_gpu_train.yaml", _START) from error


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
