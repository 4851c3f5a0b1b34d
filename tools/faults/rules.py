"""What must hold when something fails: the tests that are marked with ``fault(what happens, what holds)``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tools.repository import REPOSITORY

Record = dict[str, Any]


class Results:
    """A pytest plugin that keeps only marked tests, and how each ended.

    Attributes:
        rows: (what happens, what holds) -> how many tests "passed", "failed" and were "skipped".
    """

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], dict[str, int]] = {}
        self._row: dict[str, tuple[str, str]] = {}

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out tests without the mark."""
        marked = [(item, mark) for item in items if (mark := item.get_closest_marker("fault"))]
        config.hook.pytest_deselected(items=[item for item in items if not item.get_closest_marker("fault")])
        items[:] = [item for item, _ in marked]
        for item, mark in marked:
            self._row[item.nodeid] = (mark.args[0], mark.args[1])
            self.rows.setdefault(self._row[item.nodeid], {"passed": 0, "failed": 0, "skipped": 0})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: by its call, or by what of its set-up did not pass."""
        if report.when == "call" or report.outcome != "passed":
            self.rows[self._row[report.nodeid]][report.outcome] += 1


def run_rules(folders: tuple[Path, ...] = (REPOSITORY / "tests",)) -> list[Record]:
    """Run the marked tests, slow ones too.

    Args:
        folders: of tests.

    Returns:
        For each thing that happens: ``what``, ``holds``, and how many tests "passed", "failed" and were "skipped".
    """
    results = Results()
    options = [
        "-q",
        "-o",
        "addopts=",
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(REPOSITORY),
    ]
    pytest.main([*options, *map(str, folders)], plugins=[results])
    return [{"what": what, "holds": holds, **counts} for (what, holds), counts in sorted(results.rows.items())]
