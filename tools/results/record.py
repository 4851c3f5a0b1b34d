"""Result files: written once for the same inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cxr_common.evaluation import provenance
from cxr_common.files import write_json


def write_once(
    inputs: dict[str, Any], target: Path, score: Callable[[], dict[str, Any]]
) -> tuple[dict[str, Any], bool]:
    """Write inputs, figures and provenance into a result file, unless it has figures of the same inputs.

    Args:
        inputs: all that the figures depend on, hashes mostly; plain values.
        target: the result file.
        score: computes the figures.

    Returns:
        The content of the file, and whether it was written now.
    """
    digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    if target.exists() and (found := json.loads(target.read_text())).get("inputs_sha256") == digest:
        return found, False
    record = {**inputs, "inputs_sha256": digest, **score(), **provenance()}
    write_json(record, target)
    return record, True
