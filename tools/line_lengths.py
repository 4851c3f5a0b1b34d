"""Measure how many wrong sizes of pictures are noticed from their pixels, and how many sound pictures are doubted.

python -m tools.line_lengths       # reads ../shared, writes docs/results/line_lengths.json; then make tables
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.cli import one_line_errors
from cxr_common.data import read_picture
from cxr_common.data.line_length import line_length
from cxr_common.errors import InputError
from cxr_common.evaluation import provenance
from cxr_common.files import write_json
from cxr_common.start.tool_parser import ToolParser
from tools.repository import REPOSITORY

#: Tables of ../shared, the column of their file names, and of how many images one is measured.
SETS = (("cxr/manifest.csv", "file", 9), ("nih/images.csv", "image", 40))
#: Sides that differ by no more than this share are nearly square.
_NEARLY = 0.04


def sample(shared: Path) -> list[Path]:
    """Every so many-th radiograph of the tables of ../shared.

    Raises:
        InputError: a table is not there.
    """
    files = []
    for name, column, step in SETS:
        table = shared / name
        if not table.is_file():
            raise InputError("there is no such file", table, "give --shared the folder that holds nih and cxr")
        with open(table, encoding="utf-8", newline="") as file:
            files += [table.parent / row[column] for row in csv.DictReader(file)][::step]
    return files


def measure(pictures: Iterable[np.ndarray]) -> dict[str, Any]:
    """Count what is noticed.

    Args:
        pictures: float (rows, columns).

    Returns:
        ``sound``: of pictures as they are, how many are doubted; ``exchanged``: of those whose sides differ by over 2
        pixels, how many are noticed when they are exchanged, and how many of the others are nearly square;
        ``shorter``: how many are noticed when their lines are taken for one pixel shorter.
    """
    count: Counter[str] = Counter()
    for picture in pictures:
        rows, columns = picture.shape
        count["all"] += 1
        count["doubted"] += line_length(picture) is not None
        shorter = picture.reshape(-1)[: rows * (columns - 1)].reshape(rows, columns - 1)
        count["shorter"] += line_length(shorter) == columns
        if abs(rows - columns) > 2:
            found = line_length(picture.reshape(columns, rows)) == columns
            count["oblong"] += 1
            count["exchanged"] += found
            count["nearly"] += not found and abs(rows - columns) <= _NEARLY * max(rows, columns)
    exchanged = {"n": count["oblong"], "noticed": count["exchanged"], "missed_nearly_square": count["nearly"]}
    return {
        "sound": {"n": count["all"], "doubted": count["doubted"]},
        "exchanged": exchanged,
        "shorter": {"n": count["all"], "noticed": count["shorter"]},
    }


def sentence(record: dict[str, Any]) -> str:
    """The figures in words, for docs/reference/findings.md."""
    sound, exchanged, shorter = record["sound"], record["exchanged"], record["shorter"]
    missed, nearly = exchanged["n"] - exchanged["noticed"], exchanged["missed_nearly_square"]
    return (
        f"Of {exchanged['n']} radiographs of `../shared` whose sides differ, {exchanged['noticed']} were noticed when"
        f" their sides were exchanged.\nOf the {missed} that were missed, {nearly} are nearly square"
        f" (sides within {100 * _NEARLY:.0f}%). Of {sound['n']} sound radiographs {sound['doubted']} were doubted.\n"
        f"Of {shorter['n']} whose size was off by one pixel {shorter['noticed']} were noticed.\n"
    )


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = ToolParser(
        prog="python -m tools.line_lengths", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=REPOSITORY.parent / "shared", help="folder with nih and cxr")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs" / "results", help="folder of the figures")
    args = parser.parse_args(argv)
    figures = measure(read_picture(path).T for path in sample(args.shared))
    write_json({**figures, **provenance()}, args.output / "line_lengths.json")
    print(f"wrote {args.output / 'line_lengths.json'}\n{sentence(figures)}", end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
