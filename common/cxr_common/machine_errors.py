"""What a machine refuses, memory most of all, as one error for its user."""

from __future__ import annotations

import re

from cxr_common.errors import InputError, causes

_SMALLER = "lower batch_size, num_workers or spatial_size; a training goes on from its checkpoint when it is run again"
#: What PyTorch and Python write into exceptions -> reason, where and action.
_REFUSALS = (
    (
        r"out of shared memory|unable to (open|allocate|write).{0,40}shared memory|Bus error",
        "the loader processes have too little shared memory",
        "num_workers",
        "set num_workers to 0, or give the container more of it (docker run --shm-size=2g)",
    ),
    (
        r"DataLoader worker \(pid.*\) (is killed by signal|exited unexpectedly)",
        "a process that loads images was ended from outside, as Linux does where memory is short",
        "num_workers",
        _SMALLER,
    ),
    (
        r"CUDA out of memory|MPS backend out of memory|CUDNN_STATUS_ALLOC_FAILED",
        "the GPU has too little memory",
        "device",
        _SMALLER,
    ),
    (
        r"can't allocate memory|Unable to allocate|Cannot allocate memory|^MemoryError",
        "this machine has too little memory",
        "memory",
        _SMALLER,
    ),
)


def find_machine_error(error: BaseException) -> InputError | None:
    """What the machine refused as an InputError; None for an exception that has another cause."""
    for cause in causes(error):
        if not isinstance(cause, (RuntimeError, MemoryError, OSError)):
            continue
        words = f"{cause}" if not isinstance(cause, MemoryError) else f"MemoryError {cause}"
        for pattern, reason, where, action in _REFUSALS:
            if re.search(pattern, words):
                return InputError(reason, where, action)
    return None
