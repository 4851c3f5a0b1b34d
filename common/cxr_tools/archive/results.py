"""Results as Parquet files, which are the only record of what is done: an image is when a row of it is in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cxr_common.errors import InputError
from cxr_common.files import replacing, sweep_temporary
from cxr_common.text import encodable
from cxr_tools.archive.parts import Part, sha256


class Results:
    """The Parquet files below a folder.

    Args:
        folder: made when the first file is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self) -> Iterator[Path]:
        """All of them."""
        yield from sorted(self.folder.glob("*/*.parquet"))

    def done(self) -> set[str]:
        """The images that have a row.

        Raises:
            InputError: a file cannot be read, or has images that another one has too.
        """
        done: set[str] = set()
        for file in self.files():
            images = _read(file, "image")["image"].to_pylist()
            if not done.isdisjoint(images):
                raise InputError("has images that another file has too", file, "move the copy elsewhere, and run again")
            done.update(images)
        return done

    def forget_errors(self) -> int:
        """Remove the rows that have an error, so that their images are tried again; returns how many."""
        forgotten = 0
        for file in self.files():
            table = _read(file, "image", "error", every=True)
            kept = table.filter(pc.is_null(table["error"]))
            forgotten += len(table) - len(kept)
            if not len(kept):
                file.unlink()
            elif len(kept) < len(table):
                self._write(kept, file)
        return forgotten

    def sweep(self) -> None:
        """Remove what killed runs left half-written."""
        for folder in self.folder.glob("*/"):
            sweep_temporary(folder)

    def add(self, folder: str, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> None:
        """Write a file of rows; it appears whole.

        Args:
            folder: of the partition.
            rows: one for each image. The file is called after the images, so equal work has equal names.
            schema: of the rows.

        Raises:
            InputError: it cannot be written.
        """
        table = pa.Table.from_pylist([_encodable(row) for row in rows], schema).sort_by("image")
        name = sha256("\n".join(table["image"].to_pylist()))[:16]
        self._write(table, self.folder / folder / f"part-{name}.parquet")

    def _write(self, table: pa.Table, file: Path) -> None:
        # Under a name that a query of *.parquet does not find, hidden or not.
        with replacing(file, suffix="") as temporary:
            pq.write_table(table, temporary, compression="zstd")


def _read(file: Path, *columns: str, every: bool = False) -> pa.Table:
    """Columns of text of a file, or all of its columns where these are among them."""
    try:
        table = pq.ParquetFile(file).read(None if every else list(columns))
        table.validate(full=True)  # texts too, which Python would refuse one by one
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        action = "remove it, and run again: its images are done anew"
        raise InputError(f"is no whole Parquet file ({type(error).__name__})", file, action) from None
    if any(name not in table.column_names or table.schema.field(name).type != pa.string() for name in columns):
        raise InputError("is not what cxr archive writes", file, "move it elsewhere, and run again")
    return table


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, Mapping):
        return {key: _encodable(item) for key, item in value.items()}
    return [_encodable(item) for item in value] if isinstance(value, list) else value


class PartWriter:
    """Collects rows, which come in any order, and writes each part when it is complete.

    Args:
        results: where to.
        parts: what is expected.
        schema: of the rows.
    """

    def __init__(self, results: Results, parts: Sequence[Part], schema: pa.Schema) -> None:
        self.results, self.parts, self.schema = results, parts, schema
        self._rows: dict[int, dict[str, Mapping[str, Any]]] = {}
        self._written: set[int] = set()

    def add(self, part: int, row: Mapping[str, Any]) -> bool:
        """Take a row of the part of that number; returns whether it is new: one that comes twice counts once."""
        if part in self._written:
            return False
        rows = self._rows.setdefault(part, {})
        new = row["image"] not in rows
        rows[row["image"]] = row
        if len(rows) == len(self.parts[part].images):
            self._flush(part)
        return new

    def flush(self) -> None:
        """Write the rows of parts that are not complete: the run ends here."""
        for part in list(self._rows):
            self._flush(part)

    def _flush(self, part: int) -> None:
        self._written.add(part)
        self.results.add(self.parts[part].folder, list(self._rows.pop(part).values()), self.schema)
