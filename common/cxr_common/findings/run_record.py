"""findings.json: the record of one run (docs/reference/findings.md describes every field)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from cxr_common.data.loader import Failure
from cxr_common.files import as_path, replacing
from cxr_common.findings.record_models import FindingsRecord
from cxr_common.findings.thresholds import ClassThresholds
from cxr_common.json_files import read_json
from cxr_common.text import encodable, printable

SCHEMA_VERSION = "1.0"
FILE_NAME = "findings.json"

NOTICE = "Research use only. Not a medical device; not for diagnosis or treatment."


class Records(Protocol):
    """Records of images, in memory or in a file."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[dict[str, Any]]: ...


def run_record(
    model: Mapping[str, Any],
    thresholds: ClassThresholds,
    images: Records,
    failures: Sequence[Failure],
    input_dir: Path | None,
) -> dict[str, Any]:
    """The content of findings.json: plain values, no number that is not finite, no text that is not UTF-8.

    Its images are those that are given: plain already, and perhaps in a file, to be gone through one by one.
    """
    used = {"source": thresholds.source, **thresholds.as_dict()}
    used.pop("labels")
    record = {
        "schema_version": SCHEMA_VERSION,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "notice": NOTICE,
        "model": {**model, "thresholds": used},
        "input_dir": None if input_dir is None else str(input_dir),
        "summary": {"images": len(images), "failures": len(failures)},
        "images": [],
        "failures": [asdict(failure) for failure in failures],
    }
    return {**plain(record), "images": images}


def write_run_record(record: Mapping[str, Any], folder: Path) -> Path:
    """Write findings.json, an image at a time; a reader never sees half of it."""
    path = folder / FILE_NAME
    before, after = _readable({**record, "images": []}).split('\n  "images": []', 1)
    with replacing(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write(f'{before}\n  "images": [')
        separator = "\n    "
        for image in record["images"]:
            file.write(separator + _readable(image).replace("\n", "\n    "))
            separator = ",\n    "
        file.write("\n  ]" if len(record["images"]) else "]")
        file.write(after + "\n")
    return path


def read_findings(folder: str | Path) -> dict[str, Any]:
    """The content of a run's findings.json.

    Raises:
        InputError: there is none, or it is not what a bundle writes.
    """
    return read_json(as_path(folder) / FILE_NAME, "run the bundle's inference first", FindingsRecord)


def file_names(files: Any) -> list[str]:
    """Every file name in an image's `files`: names, or class -> name."""
    if isinstance(files, Mapping):
        return [name for value in files.values() for name in file_names(value)]
    return [files] if isinstance(files, str) else []


def summary(record: Mapping[str, Any], folder: Path) -> str:
    """One line about the run, and one line per failure: "file: reason; action"."""
    counts = record["summary"]
    lines = [f"{counts['images']} image(s) done, {counts['failures']} failed; results in {printable(folder)}"]
    for failure in record["failures"]:
        action = f"; {failure['action']}" if failure["action"] else ""
        lines.append("  " + printable(f"{failure['path'] or 'input'}: {failure['reason']}{action}"))
    return "\n".join(lines)


def _readable(record: Mapping[str, Any]) -> str:
    text = json.dumps(record, indent=2, allow_nan=False, ensure_ascii=False)
    # Boxes, points and sizes on one line each. A JSON string holds no raw line break, so only arrays match.
    return re.sub(r"\[\n\s+([-\d.,e+\s]+?)\n\s+\]", lambda match: f"[{' '.join(match[1].split())}]", text)


def plain(value: Any) -> Any:
    """A value as strict JSON can have it: numbers that are not finite become null."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {encodable(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
