"""Figures and tables as Markdown, one way for every tool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

#: What a part says that is not there yet.
NOT_MEASURED = "Not measured yet.\n"
#: A value that is not defined.
DASH = "–"


def two(value: float) -> str:
    """``.62``."""
    return f"{value:.2f}".replace("0.", ".", 1)


def number(interval: Mapping[str, Any] | None, percent: bool = False) -> str:
    """``.62 [.58, .66]`` of an interval, or as percentages; a dash where undefined."""
    return _interval(interval, (lambda v: f"{100 * v:.0f}%") if percent else two)


def signed(interval: Mapping[str, Any] | None) -> str:
    """``+.012 [-.003, +.020]`` of a difference; a dash where undefined."""
    return _interval(interval, lambda v: f"{v:+.3f}".replace("0.", ".", 1))


def _interval(interval: Mapping[str, Any] | None, text: Callable[[float], str]) -> str:
    if interval is None or interval["value"] is None:
        return DASH
    value, low, high = (DASH if interval[k] is None else text(interval[k]) for k in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"


def row(*cells: object) -> str:
    """A line of a Markdown table; a list among the cells gives several."""
    flat = [str(c) for cell in cells for c in (cell if isinstance(cell, (list, tuple)) else [cell])]
    return "| " + " | ".join(flat) + " |"


def head(*cells: object) -> str:
    """The first two lines of a Markdown table."""
    first = row(*cells)
    columns = sum(len(cell) if isinstance(cell, (list, tuple)) else 1 for cell in cells)
    return f"{first}\n|{'---|' * columns}"


def table(columns: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join([head(columns), *(row(cells) for cells in rows)]) + "\n"
