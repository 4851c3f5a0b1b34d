"""Reading and writing a datalist file as it stands: paths stay relative."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_schema import SECTIONS, Problem, item_paths
from cxr_common.data.datalist_validation import iterate_items, leads_out, validate_datalist
from cxr_common.errors import InputError
from cxr_common.files import write_text
from cxr_common.json_files import read_json

SHOWN_PROBLEMS = 10


def read_datalist(path: str | Path) -> dict[str, Any]:
    """Parse a datalist and check its structure, without touching the files it names.

    Args:
        path: the JSON file.

    Returns:
        The datalist as written: ``labels`` and the sections, with relative paths.

    Raises:
        InputError: the file cannot be read, is not JSON (with line and column) or breaks the format.
    """
    data = parse_datalist(Path(path))
    raise_problems(path, validate_datalist(data, check_files=False))
    return data


def write_datalist(data: Mapping[str, Any], path: str | Path) -> None:
    """Write a datalist, one item a line, by a temporary file that is renamed when complete.

    Where a path leads out of the folder that paths are relative to, ``outside`` is written too.

    Args:
        data: ``labels`` and the sections.
        path: where to; an existing file is replaced.

    Raises:
        InputError: the data break the format; nothing is written.
    """
    data = declare_outside(data)
    raise_problems(path, validate_datalist(data, check_files=False))
    write_text(_format(data), path)


def declare_outside(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same datalist, with ``outside`` true where one of its paths leads out of the data set root."""
    paths = (path for _, item in iterate_items(data) for _, path in item_paths(item))
    if "outside" in data or not any(map(leads_out, paths)):
        return dict(data)
    labels = {"labels": data["labels"]} if "labels" in data else {}
    return {**labels, "outside": True, **data}


def raise_problems(path: object, problems: Sequence[Problem]) -> None:
    """Raise one InputError that lists the first problems and their number, if there are any."""
    if not problems:
        return
    shown = "\n  ".join(str(problem) for problem in problems[:SHOWN_PROBLEMS])
    rest = len(problems) - SHOWN_PROBLEMS
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise InputError(f"{count}\n  {shown}" + (f"\n  and {rest} more" if rest > 0 else ""), where=path)


def parse_datalist(path: Path) -> Any:
    """Parse a datalist's JSON without checking it.

    Raises:
        InputError: the file cannot be read or is not JSON.
    """
    return read_json(path, "give a datalist, as cxr_tools.prepare makes it")


def _format(data: Mapping[str, Any]) -> str:
    parts = []
    for key, value in data.items():
        if key in SECTIONS and value:
            rows = ",\n  ".join(json.dumps(item, ensure_ascii=False, allow_nan=False) for item in value)
            parts.append(f"{json.dumps(key)}: [\n  {rows}\n ]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}")
    return "{" + ",\n ".join(parts) + "}\n"
