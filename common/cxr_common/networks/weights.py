"""Weight files: plain tensors, float16 parameters, strict loading."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.files import file_sha256, replacing
from cxr_common.networks.weight_checks import check_archive, check_plain, check_values
from cxr_common.networks.weight_kinds import refusal, unwrapped_state


def save_weights(network: nn.Module, path: str | Path) -> None:
    """Write a network's state dict atomically.

    Parameters are stored as float16, buffers (batch-norm statistics) as they are: variances can leave float16's range.

    Raises:
        InputError: when a parameter is not finite or does not fit float16.
    """
    parameters = {name for name, _ in network.named_parameters()}
    state = {}
    for name, value in network.state_dict().items():
        value = value.detach().cpu().contiguous()
        if name in parameters:
            value = value.half()
            if not torch.isfinite(value).all():
                raise InputError(f"parameter {name} is not finite in float16", path, "the training diverged; lower lr")
        state[name] = value
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)  # given a path, torch writes its name into the file, and equal weights differ


def read_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a file of plain tensors: a state dict, or one under the key ``model``.

    Raises:
        InputError: when the file is missing, damaged or holds anything but tensors.
    """
    if Path(path).exists() and not Path(path).is_file() and not Path(path).is_dir():  # a pipe would block for ever
        raise InputError("is not an ordinary file", path, "give the path of a file of weights")
    try:
        check_archive(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise InputError("no such weight file", path, "train the bundle first or restore models/model.pt") from None
    except InputError:
        raise
    except (RuntimeError, EOFError, pickle.UnpicklingError, OSError, ValueError, AttributeError, KeyError) as error:
        reason, action = refusal(path, error)
        raise InputError(reason, path, action) from None
    if isinstance(state, dict) and isinstance(state.get("model"), dict):
        state = state["model"]
    if not isinstance(state, dict) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        reason, action = unwrapped_state(state)
        raise InputError(reason, path, action)
    check_plain(state, path)
    return state


def check_keys(state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor], where: object) -> None:
    """Raise one InputError that names missing, unknown and wrongly shaped entries, if there are any."""
    missing = [k for k in expected if k not in state]
    unknown = [k for k in state if k not in expected]
    shapes = [
        f"{k} {tuple(state[k].shape)} instead of {tuple(v.shape)}"
        for k, v in expected.items()
        if k in state and state[k].shape != v.shape
    ]
    groups = (("missing", missing), ("unknown", unknown), ("wrong shape", shapes))
    parts = [
        f"{len(names)} {kind}: {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}"
        for kind, names in groups
        if names
    ]
    if parts:
        reason = f"the weights do not fit the network ({'; '.join(parts)})"
        action = "use the network settings they were trained with, such as --backbone and --network_def#num_classes"
        prefix = os.path.commonprefix(list(state)).rpartition(".")[0] + "."
        if prefix != "." and {name.removeprefix(prefix) for name in state} == set(expected):
            action = f"take {prefix!r} off the start of each name, and save that with torch.save"
        raise InputError(reason, where, action)


def load_weights(network: nn.Module, path: str | Path) -> None:
    """Load a weight file strictly, casting to the network's dtypes.

    Raises:
        InputError: when the file is unreadable, its keys, shapes or types differ from the network's, or its values are
            not finite or all zero.
    """
    state = read_state_dict(path)
    check_keys(state, network.state_dict(), path)
    check_values(state, network.state_dict(), path)
    network.load_state_dict(state, strict=True)


def weights_sha256(path: str | Path) -> str:
    """SHA-256 of a weight file, as 64 hexadecimal digits.

    Raises:
        InputError: when the file cannot be read.
    """
    return file_sha256(path, "check the path of the weights")
