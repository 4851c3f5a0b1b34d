"""Figures and tables as Markdown, and templates of both, one way for every tool."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined

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


def environment(folder: Path) -> Environment:
    """Jinja templates of Markdown: the functions here, and filters; a figure that a record lacks is a dash.

    Filters are "line" (text as one line), "two" (``.62``), "percent" (``6.2%``) and "add" (text with more behind it).
    """
    made = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.filters["line"] = lambda text: " ".join(text.split())
    made.filters["two"] = two
    made.filters["percent"] = lambda share: f"{100 * share:.1f}%"
    made.filters["add"] = lambda text, more: text + more
    writers = {"number": number, "percent": lambda interval: number(interval, percent=True), "signed": signed}
    made.globals |= {name: _or_dash(write) for name, write in writers.items()}
    made.globals |= {"head": head, "row": row, "not_measured": NOT_MEASURED}
    return made


def _or_dash(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: write(None if isinstance(value, Undefined) else value)
