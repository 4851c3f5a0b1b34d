"""Images that are in two sections: the same bytes, or nearly the same look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxr_tools.prepare.look.fingerprint import Fingerprint

#: Bits of 255 that may differ: see :func:`~cxr_tools.prepare.look.fingerprint.look_bits`.
MOST_BITS = 32
_ROWS = 1024
Pair = tuple[int, int, int]


def same_bytes(prints: Sequence[Fingerprint], sections: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of images (index, index) of the same bytes in different sections: each with the first of its kind."""
    first: dict[str, int] = {}
    pairs = []
    for index, found in enumerate(prints):
        if found.digest:
            other = first.setdefault(found.digest, index)
            if sections[other] != sections[index]:
                pairs.append((other, index))
    return pairs


def same_look(prints: Sequence[Fingerprint], sections: Sequence[str], most: int = MOST_BITS) -> list[Pair]:
    """Pairs of images of nearly the same look, but not the same bytes, in different sections.

    Args:
        prints: of all images.
        sections: of each image.
        most: bits that may differ.

    Returns:
        (index, index, bits that differ), by these bits.
    """
    known = [
        i for i, found in enumerate(prints) if found.bits is not None and not found.doubt.startswith("it is nearly")
    ]
    if not known:
        return []
    signs = np.array([prints[i].bits for i in known], dtype=np.float32) * 2 - 1
    names = {name: n for n, name in enumerate(dict.fromkeys(sections))}
    numbers = np.array([names[sections[i]] for i in known])
    pairs: list[Pair] = []
    for start in range(0, len(known), _ROWS):
        rows = slice(start, start + _ROWS)
        differ = (signs.shape[1] - signs[rows] @ signs[start:].T) / 2
        near = (differ <= most) & (numbers[rows][:, None] != numbers[start:][None])
        for a, b in np.argwhere(near):
            i, j = known[start + a], known[start + b]
            if i < j and prints[i].digest != prints[j].digest:
                pairs.append((i, j, round(float(differ[a, b]))))
    return sorted(pairs, key=lambda pair: (pair[2], pair[:2]))
