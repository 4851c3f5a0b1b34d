"""Whether ids of a config can be built from another working directory."""

from __future__ import annotations

from pathlib import Path

from . import describe
from .model import parser_of


def probe(root: Path, config: str, ids: list[str]) -> dict[str, str]:
    """What stands in the way, by id."""
    parser = parser_of(root, config)
    failed = {}
    for id in ids:
        try:
            parser.get_parsed_content(id)
        except BaseException as error:  # foreign code may raise anything
            failed[id] = describe(error)
    return failed
