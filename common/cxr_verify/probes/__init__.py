"""What runs in a child process: each module's `probe(root, **arguments)` gives a JSON value."""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any


def answer(
    name: str, root: str, arguments: dict[str, Any], elsewhere: str, reply: str, log: str, started_in: str
) -> None:
    """Run one probe and write its answer.

    Args:
        name: module in this package.
        root: the bundle's folder.
        arguments: of the probe.
        elsewhere: working directory, empty.
        reply: file for `{"answer": ...}` or `{"error": "..."}`.
        log: file that takes whatever is printed.
        started_in: working directory of the parent, which is no place to import from.
    """
    with open(log, "wb", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    module = importlib.import_module(f"{__name__}.{name}")
    guard = importlib.import_module(f"{__name__}.guard")
    os.chdir(elsewhere)
    sys.path[:] = [p for p in sys.path if p not in ("", started_in)]
    sys.dont_write_bytecode = True
    guard.install(root)
    try:
        result = {"answer": module.probe(Path(root), **arguments)}
    except BaseException as error:  # foreign code may raise SystemExit and the like
        result = {"error": describe(error)}
    Path(reply).write_text(json.dumps(result), "utf-8")


def describe(error: BaseException) -> str:
    """An error and its first cause in one line: MONAI wraps what went wrong in long texts of its own."""
    cause, seen = error, {id(error)}
    while (deeper := cause.__cause__ or cause.__context__) is not None and id(deeper) not in seen:
        cause = deeper  # Python allows circles
        seen.add(id(cause))
    texts = [f"{type(e).__name__}: {' '.join(str(e).split())[:400]}" for e in (cause, error)]
    return texts[0] if texts[0] == texts[1] or str(cause) in str(error) else f"{texts[0]} (while: {texts[1]})"
