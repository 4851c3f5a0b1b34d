from __future__ import annotations

import os
import signal

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from cxr_common.machine_errors import find_machine_error


class Ended(Dataset):
    """Ends the process that loads its second item, as the kernel does where memory is short."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        if index == 1 and torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return index


@pytest.mark.fault("a process that loads images is killed", "one line says so, and what to lower")
def test_a_killed_loader_process():
    with pytest.raises(RuntimeError) as raised:
        list(DataLoader(Ended(), num_workers=1))
    wrapped = RuntimeError("Failed to evaluate")
    wrapped.__cause__ = raised.value
    assert str(find_machine_error(wrapped)).startswith("num_workers: a process that loads images was ended")


@pytest.mark.fault("memory runs out", "one line says so, and what to lower")
def test_memory_that_there_is_not():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60)
    assert "this machine has too little memory" in str(find_machine_error(raised.value))
    assert "too little memory" in str(find_machine_error(MemoryError()))
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert "the GPU has too little memory" in str(find_machine_error(full))
    bus = "DataLoader worker (pid 7) is killed by signal: Bus error. Workers may be out of shared memory"
    assert "shared memory" in str(find_machine_error(RuntimeError(bus)))


def test_other_exceptions_are_not_the_machines():
    assert find_machine_error(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None
    assert find_machine_error(FileNotFoundError("memory.png")) is None
