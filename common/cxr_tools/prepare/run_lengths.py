"""Masks as run lengths: SIIM-ACR's text and COCO's, both over columns from the left, each from top to bottom.

Masks here are bool (x, y), so that order is the plain C order of the array.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxr_tools.prepare.mask_size import checked_size

Mask = NDArray[np.bool_]


def decode_siim(text: str, size: tuple[int, int]) -> Mask:
    """A mask from pairs "start length", where a start counts from the end of the run before.

    Args:
        text: the pairs, separated by blanks; ``-1`` or nothing: an empty mask.
        size: (width, height).

    Raises:
        ValueError: it is not a list of pairs, or a run leaves the image.

    Example:
        >>> decode_siim("1 2 1 1", (2, 3)).astype(int).tolist()
        [[0, 1, 1], [0, 1, 0]]
    """
    numbers = [int(part) for part in text.split()]
    if numbers in ([], [-1]):
        return np.zeros(checked_size(size), dtype=bool)
    if len(numbers) % 2 or min(numbers) < 0:
        raise ValueError("is not a list of pairs of start and length")
    return _from_runs(numbers, size)


def encode_siim(mask: Mask) -> str:
    """The text of :func:`decode_siim`.

    Example:
        >>> encode_siim(np.array([[0, 1, 1], [0, 1, 0]], dtype=bool))
        '1 2 1 1'
    """
    runs = _runs(mask)
    pairs = runs[: len(runs) // 2 * 2]  # the last run of zeros is not written
    return " ".join(map(str, pairs)) if pairs else "-1"


def decode_coco(counts: str | Sequence[int], size: tuple[int, int]) -> Mask:
    """A mask from COCO's run lengths, which alternate from zeros.

    Args:
        counts: numbers, or COCO's compressed text: 5 bits a character from 48 on, the lowest first, bit 6 where more
            follow; from the fourth number on the difference to the number two before.
        size: (width, height); COCO's own ``size`` is [height, width].

    Raises:
        ValueError: the runs do not fill the image.
    """
    numbers = _unpack(counts) if isinstance(counts, str) else [int(n) for n in counts]
    if min(numbers, default=0) < 0 or sum(numbers) != size[0] * size[1]:
        raise ValueError(f"has runs of {sum(numbers)} pixels for an image of {size[0]} x {size[1]}")
    return _from_runs(numbers, size)


def encode_coco(mask: Mask) -> str:
    """COCO's compressed text of a mask (x, y): see :func:`decode_coco`."""
    runs = _runs(mask)
    text = []
    for i, run in enumerate(runs):
        value, more = run - runs[i - 2] if i > 2 else run, True
        while more:
            low, value = value & 31, value >> 5
            more = value != (-1 if low & 16 else 0)
            text.append(chr(48 + (low | 32 if more else low)))
    return "".join(text)


def _unpack(text: str) -> list[int]:
    numbers: list[int] = []
    value = shift = 0
    for character in text:
        low = ord(character) - 48
        if not 0 <= low < 64:
            raise ValueError(f"holds {character!r}, which is not a part of COCO's run lengths")
        value |= (low & 31) << shift
        shift += 5
        if low & 32:
            continue
        if low & 16:
            value -= 1 << shift
        numbers.append(value + numbers[-2] if len(numbers) > 2 else value)
        value = shift = 0
    if shift:
        raise ValueError("ends within a number")
    return numbers


def _from_runs(runs: Sequence[int], size: tuple[int, int]) -> Mask:
    """Runs of zeros and ones in turn; what is left is zero."""
    checked_size(size)
    if sum(runs) > size[0] * size[1]:  # by Python, whose numbers never overflow
        raise ValueError(f"leaves the image of {size[0]} x {size[1]} pixels")
    ends = np.cumsum(runs)
    flat = np.zeros(size[0] * size[1], dtype=bool)
    for start, end in zip(ends[0::2], ends[1::2], strict=False):
        flat[start:end] = True
    return flat.reshape(size)


def _runs(mask: Mask) -> list[int]:
    flat = np.ascontiguousarray(mask).reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    bounds = np.concatenate(([0], changes, [flat.size]))
    runs: list[int] = np.diff(bounds).tolist()
    return [0, *runs] if flat.size and flat[0] else runs
