"""Plain tables (csv, tsv), with errors that name file, line and column."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        table: the file.
        line: its line in the file, the header being line 1.
        cells: column name -> text, without surrounding blanks.
    """

    table: Path
    line: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        if column not in self.cells:
            raise InputError(f"no column {column!r}", where=self.table, action=f"columns are {', '.join(self.cells)}")
        return self.cells[column]

    def number(self, column: str) -> float:
        """The cell as a number.

        Raises:
            InputError: it is none; names file, line and column.
        """
        try:
            return float(self[column])
        except ValueError:
            raise self.error(column, f"{self[column]!r} is no number") from None

    def error(self, column: str, reason: str, action: str | None = None) -> InputError:
        """An error at one cell of this row."""
        return InputError(reason, where=f"{self.table} line {self.line} column {column!r}", action=action)

    def matches(self, where: Mapping[str, Any]) -> bool:
        """Whether each column of ``where`` holds the value given, or one of a list of values."""
        return all(
            any(same_value(self[column], value) for value in (wanted if isinstance(wanted, list) else [wanted]))
            for column, wanted in where.items()
        )


def same_value(cell: str, value: Any) -> bool:
    """Whether a cell holds a value: as numbers where both are (so 1.0 is 1), else as text without case."""
    try:
        return float(cell) == float(value)
    except (TypeError, ValueError):
        return cell.casefold() == str(value).strip().casefold()


def read_table(path: Path) -> list[Row]:
    """Read a table with a header line; comma, semicolon or tab is found out from the header.

    Args:
        path: UTF-8 text, with or without byte-order mark.

    Returns:
        Its rows; blank lines are left out. A column without a name, as NIH's BBox_List has three, is called by its
        place, such as ``column 7``.

    Raises:
        InputError: no such file, not UTF-8, no rows, a column name twice, or a row of another width.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header_line = file.readline()
            file.seek(0)
            delimiter = max(",;\t", key=header_line.count)
            reader = csv.reader(file, delimiter=delimiter)
            header = [name.strip() or f"column {place}" for place, name in enumerate(next(reader, []), 1)]
            rows = []
            for record in reader:
                if not any(cell.strip() for cell in record):
                    continue
                record = _fitted(record, header)
                if len(record) != len(header):
                    raise InputError(
                        f"{len(record)} cells for {len(header)} columns", where=f"{path} line {reader.line_num}"
                    )
                cells = {name: cell.strip() for name, cell in zip(header, record, strict=True)}
                rows.append(Row(path, reader.line_num, cells))
    except OSError as e:
        raise InputError((e.strerror or str(e)).lower(), where=path) from None
    except UnicodeDecodeError:
        raise InputError("not UTF-8 text", where=path, action="save it as csv, UTF-8") from None
    except csv.Error as e:
        raise InputError(f"not a table: {e}", where=path) from None
    if len(set(header)) != len(header):
        raise InputError(f"column {next(n for n in header if header.count(n) > 1)!r} occurs twice", where=path)
    if not rows:
        raise InputError("holds no rows", where=path)
    return rows


def _fitted(record: list[str], header: list[str]) -> list[str]:
    """A row of the header's width where only empty cells at its end, or columns without a name, make the difference."""
    named = max((place for place, name in enumerate(header, 1) if name != f"column {place}"), default=0)
    if len(record) < named or any(cell.strip() for cell in record[len(header) :]):
        return record
    return [*record, *[""] * len(header)][: len(header)]
