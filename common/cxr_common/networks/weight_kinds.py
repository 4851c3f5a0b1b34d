"""What a file is that holds no weights of ours, and what to do about it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

STATE_DICT = "save network.state_dict() with torch.save, and give that file"
_STARTS = (
    (b"version https://git-lfs", "is a pointer of Git LFS, not the file itself", "fetch it by git lfs pull"),
    (b"<", "is a web page or XML", "download the file itself"),
    (b"\x89HDF", "is an HDF5 file, such as Keras writes", STATE_DICT),
)


def refusal(path: str | Path, error: Exception) -> tuple[str, str]:
    """Why a file is no file of plain tensors.

    Args:
        path: it is there.
        error: what ``torch.load`` raised.

    Returns:
        What it is, and what to do.
    """
    path = Path(path)
    if path.is_dir():
        return "is a folder", "give the path of the weights in it"
    with open(path, "rb") as file:
        start = file.read(32)
    if not start:
        return "is empty", "restore the file"
    for magic, reason, action in _STARTS:
        if start.startswith(magic):
            return reason, action
    if path.suffix == ".onnx":
        return "is an ONNX network", STATE_DICT
    if path.suffix == ".safetensors" or start[8:10] == b'{"':
        return "is a safetensors file", "read it by safetensors.torch.load_file, and save that with torch.save"
    names = zipfile.ZipFile(path).namelist() if zipfile.is_zipfile(path) else []
    if any(name.endswith("constants.pkl") for name in names):
        return "is a TorchScript network, not weights", STATE_DICT
    if names and all(name.endswith(".npy") for name in names):
        return "is a file of NumPy arrays", "save tensors with torch.save"
    if found := re.search(r"GLOBAL ([A-Za-z_]\w*(?:\.\w+)+)", str(error)):
        return f"holds a pickled object ({found[1]}) beside or instead of plain tensors", STATE_DICT
    if names and not any(name.endswith("data.pkl") for name in names):
        return "is a zip archive without tensors", "unpack it, and give the file of weights in it"
    if start.startswith(b"\x80"):
        return "is a plain pickle, not a file that torch.save wrote", STATE_DICT
    reason = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().split("\n")[0]
    reason = "" if reason.isdecimal() else reason.split(". ")[0]  # a number is a byte that pickle does not know
    details = "" if not reason or reason.startswith("Weights only") else f" ({reason[:120]})"
    return f"is damaged, or no file of weights{details}", "restore the file"


def unwrapped_state(state: Any) -> tuple[str, str]:
    """Why what ``torch.load`` read is no state dict; the same pair as :func:`refusal` gives."""
    if not isinstance(state, Mapping):
        return f"holds no state dict but a {type(state).__name__}", STATE_DICT
    if {"network", "optimizer", "epoch"} <= set(state):
        return "is a checkpoint that training resumes from", "give the model.pt beside it"
    inner = [key for key, value in state.items() if isinstance(value, Mapping) and value and _tensors(value)]
    if inner:
        return f"has its state dict under {inner[0]!r}", f"save what is under {inner[0]!r} alone with torch.save"
    if not state:
        return "holds an empty state dict", "restore the file"
    strange = next(key for key, value in state.items() if not isinstance(value, torch.Tensor))
    return f"holds no state dict: {strange!r} is not a tensor", STATE_DICT


def _tensors(state: Mapping[Any, Any]) -> bool:
    return all(isinstance(value, torch.Tensor) for value in state.values())
