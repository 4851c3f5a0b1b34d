"""The workflow that is running, and which of its ids the run needs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from monai.bundle import ConfigWorkflow
from monai.bundle.reference_resolver import ReferenceResolver
from monai.bundle.utils import ID_SEP_KEY as SEP


def running_workflow() -> ConfigWorkflow | None:
    """The workflow one of whose expressions is being evaluated; None outside of any.

    MONAI gives an expression no way to the workflow it stands in, so it is looked up among the callers.
    """
    frame = sys._getframe(1)
    while frame is not None:
        if isinstance(caller := frame.f_locals.get("self"), ConfigWorkflow):
            return caller
        frame = frame.f_back  # type: ignore[assignment]
    return None


def references(config: Any) -> Iterator[str]:
    """Ids that a part of a configuration refers to, anywhere in it, with MONAI's separator ``::``."""
    if isinstance(config, dict):
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from references(part)
    elif isinstance(config, str):
        yield from ReferenceResolver.match_refs_pattern(config)


def used_ids(workflow: ConfigWorkflow) -> set[str]:
    """Ids that a workflow's run refers to, directly or by what those refer to; each stands for all that lies in it."""
    found: set[str] = set()
    waiting = [workflow.run_id]
    while waiting:
        for id in references(workflow.parser.get(waiting.pop())):
            if id not in found:
                found.add(id)
                waiting.append(id)
    return found


def is_used(id: str, used: set[str]) -> bool:
    """Whether an id is one of `used`, or lies in one of them."""
    return any(id == outer or id.startswith(outer + SEP) for outer in used)
