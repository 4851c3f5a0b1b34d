"""Findings that one cell lists by name, such as "Mass|Nodule", as if each had a column."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.prepare.tables import Row


def listed_as_columns(rows: Sequence[Row], listed: str | Mapping[str, Any], names: Iterable[str]) -> list[Row]:
    """Give rows a column for each name: 1 where its cell lists the name, 0 where it lists others, empty where it is.

    Args:
        rows: of the image table.
        listed: the column; or ``{column, separator}``, where the separator is not ``|``.
        names: what labels are made of; those that are columns already stay as they are.

    Raises:
        InputError: no such column; or no row lists a name, but one lists a name that is spelled much like it.
    """
    given = {"column": listed} if isinstance(listed, str) else listed
    column, separator = given["column"], str(given.get("separator", "|"))
    wanted = [name for name in dict.fromkeys(names) if name not in rows[0].cells]
    found = [{part.strip().casefold(): part.strip() for part in row[column].split(separator)} for row in rows]
    known = {key: name for parts in found for key, name in parts.items() if name}
    for name in wanted:
        close = difflib.get_close_matches(name.casefold(), known, n=1, cutoff=0.8)
        if name.casefold() not in known and close:
            raise InputError(
                f"lists no {name!r}", f"{rows[0].table} column {column!r}", f"did you mean {known[close[0]]!r}?"
            )
    return [
        replace(
            row,
            cells={**row.cells, **{n: str(int(n.casefold() in parts)) if row[column] else "" for n in wanted}},
        )
        for row, parts in zip(rows, found, strict=True)
    ]
