"""Whether the tensors of a weight file can be weights at all, before a network computes with them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch

from cxr_common.errors import InputError

_RESTORE = "restore the file, or train again"


def check_archive(path: str | Path) -> None:
    """Compare a file of tensors with the checksums in it; torch writes them (CRC-32 a tensor) and never looks.

    Files in torch's format before version 1.6 have none and pass.

    Raises:
        InputError: a part of the file is not what was written.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        if not zipfile.is_zipfile(path):
            return
        raise InputError(f"is damaged ({error})", path, _RESTORE) from None
    except (OSError, EOFError, RuntimeError, NotImplementedError):  # torch.load says what it is
        return
    if damaged is not None:
        raise InputError(f"is damaged: {damaged} is not what was written (its checksum differs)", path, _RESTORE)


def check_plain(state: Mapping[str, torch.Tensor], where: object) -> None:
    """Refuse tensors that no network of ours can hold: sparse, nested, quantised, or without values (meta).

    Raises:
        InputError: names the first, or a key that is not a name.
    """
    for name, value in state.items():
        if not isinstance(name, str):
            raise InputError(f"has a tensor under {name!r}, which is not a name", where, _RESTORE)
        if value.is_nested or value.layout is not torch.strided or value.is_meta or value.is_quantized:
            raise InputError(
                f"{name} is not a plain tensor (sparse, nested, quantised or without values)", where, _RESTORE
            )


def check_values(state: Mapping[str, torch.Tensor], expected: Mapping[str, torch.Tensor], where: object) -> None:
    """Refuse weights of another kind of number than the network's, that are not finite, or all zero.

    Args:
        state: the file's tensors.
        expected: the network's.
        where: the file, for the error.

    Raises:
        InputError: names the first tensor that is wrong.
    """
    for name, value in state.items():
        wanted = expected[name].dtype if name in expected else value.dtype
        if value.is_complex() or value.dtype.is_floating_point != wanted.is_floating_point:
            raise InputError(f"{name} is of {value.dtype} instead of {wanted}", where, _RESTORE)
        if value.dtype.is_floating_point and not bool(torch.isfinite(value.float()).all()):
            raise InputError(f"{name} holds values that are not finite", where, _RESTORE)
        if name.endswith("running_var") and bool((value < 0).any()):  # whose root batch norm takes
            raise InputError(f"{name} holds variances below 0", where, _RESTORE)
    kernels = [value for value in state.values() if value.dtype.is_floating_point and value.ndim > 1]
    if kernels and not any(bool(value.any()) for value in kernels):
        raise InputError("all weights are zero", where, _RESTORE)
