"""Intervals and tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Record = dict[str, Any]
#: What a part says that is not there yet.
NOT_MEASURED = "Not measured yet.\n"


def number(interval: Record | None, percent: bool = False) -> str:
    """``.62 [.58, .66]`` of an interval, or as percentages; a dash where undefined."""
    if interval is None or interval["value"] is None:
        return "–"
    values = [interval[k] for k in ("value", "low", "high")]
    if percent:
        texts = ["–" if v is None else f"{100 * v:.0f}%" for v in values]
    else:
        texts = ["–" if v is None else f"{v:.2f}".replace("0.", ".", 1) for v in values]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def signed(interval: Record) -> str:
    """``+.012 [-.003, +.020]`` of a difference."""
    values = [interval[k] for k in ("value", "low", "high")]
    texts = ["–" if v is None else f"{v:+.3f}".replace("0.", ".", 1) for v in values]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def not_trained(names: Iterable[str]) -> str:
    """A line that names what an experiment still lacks; nothing where it lacks nothing."""
    listed = ", ".join(names)
    return f"\nPlanned and not trained yet: {listed}.\n" if listed else ""
