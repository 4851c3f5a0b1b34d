"""Plain tables (csv, tsv), with errors that name file, line and column."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.prepare.table_files import open_table

_DECIMAL_COMMA = re.compile(r"-?\d+,\d+")
#: An empty line, or one by which Excel is told what separates columns.
_BEFORE_HEADER = re.compile(r"(?:sep=(.))?", re.IGNORECASE)
#: What YAML makes true and false of, so that a mapping's ``yes: 1`` means the cell "yes".
_YAML_WORDS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}
_SEPARATE = "separate columns by commas, semicolons or tabs"
_USE_POINTS = "write numbers with a decimal point: 1.5, not 1,5"


@dataclass(frozen=True, slots=True)
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

    @property
    def place(self) -> str:
        """File and line, for people."""
        return f"{self.table} line {self.line}"

    def number(self, column: str) -> float:
        """The cell as a number.

        Raises:
            InputError: it is none; names file, line and column.
        """
        cell = self[column]
        try:
            return float(cell)
        except ValueError:
            raise self.error(column, f"{cell!r} is not a number", decimal_comma(cell)) from None

    def error(self, column: str, reason: str, action: str | None = None) -> InputError:
        """An error at one cell of this row."""
        return InputError(reason, where=f"{self.place} column {column!r}", action=action)

    def matches(self, where: Mapping[str, Any]) -> bool:
        """Whether each column of ``where`` holds the value given, or one of a list of values."""
        return all(
            any(same_value(self[column], value) for value in (wanted if isinstance(wanted, list) else [wanted]))
            for column, wanted in where.items()
        )


def decimal_comma(cell: str) -> str | None:
    """What to do about a cell that is a number except for its decimal comma; None for other cells."""
    return _USE_POINTS if _DECIMAL_COMMA.fullmatch(cell) else None


def same_value(cell: str, value: Any) -> bool:
    """Whether a cell holds a value: as numbers where both are (so 1.0 is 1), else as text without case."""
    if isinstance(value, bool) and cell.casefold() in _YAML_WORDS[value]:
        return True
    try:
        return float(cell) == float(value)
    except (TypeError, ValueError):
        return cell.casefold() == str(value).strip().casefold()


def read_table(path: Path) -> list[Row]:
    """All rows of :func:`iterate_table`.

    Raises:
        InputError: as there.
    """
    return list(iterate_table(path))


def iterate_table(path: Path, needed: Sequence[str] = (), names: Sequence[str] = ()) -> Iterator[Row]:
    """Read a table with a header line, row by row; comma, semicolon or tab is found out from the first line.

    Args:
        path: UTF-8 text, with or without byte-order mark, as it is or packed (``.gz``, ``.zip`` with one file).
        needed: columns that must be there.
        names: of the columns, for a table that comes with and without a header line; one there is is passed over.

    Yields:
        Its rows; blank lines are left out. A column without a name, as NIH's BBox_List has three, is called by its
        place, such as ``column 7``.

    Raises:
        InputError: no such file, not UTF-8, no rows, a needed column missing, a column name twice, or a row of another
            width.
    """
    empty = True
    with open_table(path) as file:
        skipped, first = 0, file.readline()
        delimiter = None
        while first and (found := _BEFORE_HEADER.fullmatch(first.strip())):
            delimiter = found[1] or delimiter
            skipped, first = skipped + 1, file.readline()
        delimiter = delimiter or max(",;\t", key=first.count)
        records = _records(path, chain([first], file), delimiter, skipped)
        line, record = next(records, (1, []))
        if names:
            header = [*names]
            if record and record[0].strip().casefold() != names[0].casefold():
                records = chain([(line, record)], records)
        else:
            header = [name.strip() or f"column {place}" for place, name in enumerate(record, 1)]
        if record:  # an empty file has no header to find fault with
            _check_header(path, header, needed, delimiter)
        for line, record in records:
            if any(cell.strip() for cell in record):
                yield _row(path, line, record, header)
                empty = False
    if empty:
        raise InputError("holds no rows", path, "fetch it again, it may be cut off")


def _records(path: Path, lines: Iterable[str], delimiter: str, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Records and the line that each ends in, after lines that were skipped.

    A quote that never ends is refused: it would take all rows after it for one cell.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begins = skipped + reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            action = 'end each quote before a separator, and write a quote within quotes twice: "5"" tube"'
            raise InputError(
                f"not a table: {error}, in the row that begins here", f"{path} line {begins}", action
            ) from None
        if any("\0" in cell for cell in record):
            raise InputError(
                "holds NUL bytes, which text does not have", f"{path} line {begins}", "save it as csv, UTF-8"
            )
        yield skipped + reader.line_num, record


def _check_header(path: Path, header: list[str], needed: Sequence[str], delimiter: str) -> None:
    if len(set(header)) != len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise InputError(f"column {twice!r} occurs twice", f"{path} line 1", "rename one of them, or take it out")
    if missing := [name for name in needed if name not in header]:
        if len(header) == 1 and len(needed) > 1:
            reason = f"is one column, {header[0][:60]!r}, where {', '.join(needed)} are needed"
            raise InputError(reason, f"{path} line 1", _SEPARATE)
        reason = f"no column {missing[0]!r}" + (f", and {len(missing) - 1} more are missing" if missing[1:] else "")
        action = f"columns are {', '.join(header[:30])}; is it the table that the data set comes with?"
        raise InputError(reason, f"{path} line 1", action)


def _row(path: Path, line: int, record: list[str], header: list[str]) -> Row:
    if len(record) != len(header):
        fitted = _fitted(record, header)
        if len(fitted) != len(header):
            action = "put cells that hold a comma into quotes, and give each row as many as the header has"
            if len(record) == 1:
                action = _SEPARATE
            raise InputError(f"{len(record)} cells for {len(header)} columns", f"{path} line {line}", action)
        record = fitted
    return Row(path, line, {name: cell.strip() for name, cell in zip(header, record, strict=True)})


def _fitted(record: list[str], header: list[str]) -> list[str]:
    """A row of the header's width where only empty cells at its end, or columns without a name, make the difference."""
    named = max((place for place, name in enumerate(header, 1) if name != f"column {place}"), default=0)
    if len(record) < named or any(cell.strip() for cell in record[len(header) :]):
        return record
    return [*record, *[""] * len(header)][: len(header)]
