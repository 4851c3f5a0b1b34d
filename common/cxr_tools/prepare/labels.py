"""Label values from table cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.prepare.tables import Row, decimal_comma, same_value

PLAIN_VALUES: dict[Any, int | None] = {1: 1, 0: 0, -1: -1, "": None}


def cell_value(row: Row, column: str, values: Mapping[Any, int | None], remedy: str | None = None) -> int | None:
    """The label value that a cell stands for.

    Args:
        row: row of the image table.
        column: its column.
        values: cell -> label value; comes before 1, 0, -1 and the empty cell (None), which mean themselves.
        remedy: what to do about another cell; the default names the option that says what it means.

    Raises:
        InputError: the cell holds something else.
    """
    cell = row[column]
    for known in (values, PLAIN_VALUES):
        for text, value in known.items():
            if same_value(cell, text):
                return value
    meaning = "VALUE: 1 present, 0 absent, -1 uncertain, null unknown"
    said = f'say what it means, --set "values={{{cell[:40]!r}: VALUE}}", {meaning}'
    action = decimal_comma(cell) or remedy or said
    raise row.error(column, f"{cell!r} is not a label value", action)


def rule_columns(rule: Any) -> list[str]:
    """The columns that a rule of :func:`label_value` reads."""
    if isinstance(rule, Mapping):
        return [*(rule.get("any") or []), *([rule["none"]] if "none" in rule else [])]
    return [] if rule is None else [rule]


def label_value(row: Row, rule: Any, values: Mapping[Any, int | None]) -> int | None:
    """The value of one label.

    Args:
        row: row of the image table.
        rule: a column; or None for a label that has boxes or masks, but no value an image; or ``{any: columns, none:
            column}`` for a label that gathers several: 1 where any column is 1, else 0 where the column ``none`` is 1
            (without ``none``: where all columns are 0), else -1 where any is -1, else None.
        values: see :func:`cell_value`.

    Raises:
        InputError: a cell holds no label value, or the rule is none of these.
    """
    if rule is None:
        return None
    if isinstance(rule, str):
        return cell_value(row, rule, values)
    if not isinstance(rule, Mapping) or not isinstance(rule.get("any"), list) or set(rule) - {"any", "none"}:
        raise InputError(f"label rule {rule!r} is not a column, null or {{any: columns, none: column}}")
    parts = [cell_value(row, column, values) for column in rule["any"]]
    if 1 in parts:
        return 1
    ruled_out = cell_value(row, rule["none"], values) == 1 if "none" in rule else all(part == 0 for part in parts)
    if ruled_out:
        return 0
    return -1 if -1 in parts else None
