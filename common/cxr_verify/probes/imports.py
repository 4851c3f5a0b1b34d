"""What importing a bundle's modules does."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from . import describe, guard


def probe(root: Path, modules: list[str]) -> dict[str, Any]:
    """Modules that cannot be imported, and what importing them tried."""
    sys.path.insert(0, str(root))
    failed = {}
    for name in modules:
        try:
            importlib.import_module(name)
        except BaseException as error:  # SystemExit too
            missing = error.name if isinstance(error, ModuleNotFoundError) else None
            failed[name] = {"why": describe(error), "missing": missing or ""}
    return {"failed": failed, "events": guard.events}
