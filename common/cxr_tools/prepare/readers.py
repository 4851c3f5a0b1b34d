"""One label of several rows: readers who disagree on an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Values = Sequence[int | None]


def _majority(values: Values) -> int | None:
    """What more than half of those who say something say; -1 (uncertain) where no value has so many."""
    known = [value for value in values if value is not None]
    return next((v for v in (1, 0) if 2 * known.count(v) > len(known)), -1) if known else None


def _any(values: Values) -> int | None:
    """1 where one says so; else -1 where one is uncertain, else 0; None where none says anything."""
    return next((value for value in (1, -1, 0) if value in values), None)


def _all(values: Values) -> int | None:
    """1 where all who say something say so; else 0 where one says so, else -1."""
    return next((value for value in (0, -1, 1) if value in values), None)


#: Name of a rule -> the value of a class from those of its rows (1, 0, -1, None: nothing said).
RULES: dict[str, Callable[[Values], int | None]] = {"majority": _majority, "any": _any, "all": _all}
