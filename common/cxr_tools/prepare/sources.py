"""Where a text comes from: a column of a row, or a part of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.prepare.tables import Row

_KEYS = ("column", "extract", "prefix")


def check_source(source: Any, where: str) -> None:
    """Refuse a source that is neither a column nor {column, extract, prefix} with a regular expression.

    Raises:
        InputError: names the key that is wrong.
    """
    if isinstance(source, str):
        return
    if not isinstance(source, Mapping) or not isinstance(source.get("column"), str) or set(source) - set(_KEYS):
        raise InputError(f"{source!r} names no column", where, "give a column, or {column, extract: pattern, prefix}")
    try:
        re.compile(str(source.get("extract") or ""))
    except re.error as error:
        raise InputError(f"{source['extract']!r} is not a regular expression ({error})", f"{where}: extract") from None


def source_text(row: Row, source: Any) -> tuple[str, str]:
    """The column of a source, and the text that the source makes of its cell.

    Args:
        row: of a table.
        source: a column; or ``{column, extract, prefix}``: the part of the cell that a regular expression finds (its
            first group, where it has groups), with a text before it.

    Raises:
        InputError: no such column, or the pattern is not in the cell; names file, line and column.
    """
    if isinstance(source, str):
        return source, row[source]
    column, pattern = source["column"], source.get("extract")
    cell = row[column]
    if pattern is not None:
        found = re.search(str(pattern), cell)
        if found is None:
            raise row.error(column, f"{cell!r} does not match {pattern!r}")
        cell = found[1 if found.re.groups else 0] or ""
    return column, f"{source.get('prefix', '')}{cell}" if cell else ""
