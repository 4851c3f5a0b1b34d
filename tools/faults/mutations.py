"""Files as a bad disk, a cut connection or somebody with bad intent leaves them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

Rng = np.random.Generator

#: Numbers at which lengths, counts and offsets go wrong.
_NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
#: What may stand in a JSON file in place of a value.
_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**63, 10**400, 1e308, float("nan"), float("-inf"), "", " ", "nan", "\x00", "\ud800"),
    *("../../etc/passwd", "/dev/zero", "/dev/full", "C:\\x", "a" * 100_000, [], {}, [[]], [None], {"": None}),
)


def mutate_bytes(content: bytes, rng: Rng) -> bytes:
    """Change one to four things of a file: bits, a number, the end, a part taken out, doubled, moved or overwritten."""
    for _ in range(int(rng.integers(1, 5))):
        change = _CHANGES[int(rng.integers(len(_CHANGES)))]
        content = change(content, rng) if content else content
    return content


def mutate_json(content: bytes, rng: Rng) -> bytes:
    """Change bytes of a JSON file, or, three times out of four, values and names in it, so that it stays JSON."""
    if rng.random() < 0.25:
        return mutate_bytes(content, rng)
    data = json.loads(content)
    for _ in range(int(rng.integers(1, 4))):
        places = list(_places(data))
        if not places:
            break
        holder, key = places[int(rng.integers(len(places)))]
        value = deepcopy(_VALUES[int(rng.integers(len(_VALUES)))])
        kind = rng.random()
        if kind < 0.15:
            del holder[key]
        elif kind < 0.3 and isinstance(holder, dict):
            holder[f"{key}_"] = holder.pop(key)
        elif kind < 0.4 and isinstance(holder, list):
            holder.insert(key, holder[key])
        else:
            holder[key] = value
    return json.dumps(data).encode()


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """All (dict or list, key or index) of nested data."""
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in list(entries):
        yield data, key
        yield from _places(value)


def _position(content: bytes, rng: Rng) -> int:
    """Anywhere, but every second time in the first 1,024 bytes: headers are where readers decide."""
    return int(rng.integers(len(content) if rng.random() < 0.5 else min(len(content), 1024)))


def _part(content: bytes, rng: Rng) -> tuple[int, int]:
    start = _position(content, rng)
    return start, min(len(content), start + int(2 ** rng.uniform(0, 12)))


def _flip(content: bytes, rng: Rng) -> bytes:
    changed = bytearray(content)
    for _ in range(int(2 ** rng.uniform(0, 6))):
        changed[_position(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def _number(content: bytes, rng: Rng) -> bytes:
    start, width = _position(content, rng), int(rng.choice([1, 2, 4]))
    number = int(rng.choice(_NUMBERS)) & (256**width - 1)
    order = "little" if rng.random() < 0.5 else "big"
    return content[:start] + number.to_bytes(width, order) + content[start + width :]


def _cut(content: bytes, rng: Rng) -> bytes:
    return content[: int(rng.integers(len(content)))]


def _without(content: bytes, rng: Rng) -> bytes:
    start, end = _part(content, rng)
    return content[:start] + content[end:]


def _twice(content: bytes, rng: Rng) -> bytes:
    start, end = _part(content, rng)
    return content[:end] + content[start:]


def _moved(content: bytes, rng: Rng) -> bytes:
    start, end = _part(content, rng)
    rest = content[:start] + content[end:]
    to = int(rng.integers(len(rest) + 1))
    return rest[:to] + content[start:end] + rest[to:]


def _noise(content: bytes, rng: Rng) -> bytes:
    start, end = _part(content, rng)
    return content[:start] + rng.bytes(end - start) + content[end:]


def _zeros(content: bytes, rng: Rng) -> bytes:
    start, end = _part(content, rng)
    return content[:start] + bytes(end - start) + content[end:]


_CHANGES: tuple[Callable[[bytes, Rng], bytes], ...] = (_flip, _number, _cut, _without, _twice, _moved, _noise, _zeros)
