"""Names of cached images: they change when a file or anything that made its picture does."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any

import monai
import numpy as np
import torch
from monai.transforms import Compose
from monai.transforms.traits import RandomizableTrait

from cxr_common import __version__
from cxr_common.errors import InputError

_PLAIN = (type(None), bool, int, float, str, bytes, os.PathLike, torch.dtype, np.dtype)


def describe_transforms(transforms: Sequence[Callable]) -> str:
    """Everything that decides what deterministic transforms do, as one line of text.

    It holds their classes and all their settings, the code of plain functions (not of what they call), and the versions
    of torch, MONAI and this package. It is the same in every process.

    Raises:
        InputError: one of them is random, or has a setting that cannot be put into words.
    """
    flat = Compose(list(transforms)).flatten().transforms
    if random := [type(t).__name__ for t in flat if isinstance(t, RandomizableTrait)]:
        raise InputError(f"{random[0]} is random", "image cache", "cache the transforms before it only")
    versions = f"torch {torch.__version__}, monai {monai.__version__}, cxr_common {__version__}"
    return f"{versions}: {_text(flat, ())}"


def file_state(path: str | Path) -> str:
    """Absolute path, size in bytes and time of change of a file; only the path if the file is not there."""
    full = os.path.abspath(path)
    try:
        state = Path(full).stat()
    except OSError:  # who reads it says what is wrong
        return full
    return f"{full}|{state.st_size}|{state.st_mtime_ns}"


def key_of(texts: Iterable[str]) -> str:
    """A name of 32 hexadecimal digits for texts, in their order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:32]


def _text(value: Any, inside: tuple[int, ...]) -> str:
    """A value in words; `inside` are the ids of what it is part of, which ends circles."""
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, _PLAIN):
        return repr(value)
    if id(value) in inside:
        return "..."
    inside = (*inside, id(value))
    if isinstance(value, (np.ndarray, np.generic, torch.Tensor)):
        array = np.asarray(value)
        return f"{array.dtype}{array.shape}{hashlib.sha256(array.tobytes()).hexdigest()}"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_text(k, inside)}: {_text(v, inside)}' for k, v in value.items()))}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_text(part, inside) for part in value)}]"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(sorted(_text(part, inside) for part in value))}}}"
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
    if inspect.isfunction(value):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return f"{name}({_text([value.__code__, value.__defaults__, value.__kwdefaults__, cells], inside)})"
    if inspect.iscode(value):
        return f"{value.co_code.hex()} {_text([value.co_names, value.co_consts], inside)}"
    if isinstance(value, type):
        return name
    try:
        reduced = value.__reduce_ex__(2)  # what pickle would write says all that the object is
    except TypeError as error:
        action = "give the cache transforms with plain settings"
        raise InputError(f"cannot tell what a {type(value).__name__} does", "image cache", action) from error
    if isinstance(reduced, str):
        return name
    parts = [list(part) if isinstance(part, Iterator) else part for part in reduced[1:]]
    return f"{type(value).__module__}.{type(value).__qualname__}{_text(parts, inside)}"
