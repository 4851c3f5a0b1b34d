"""Results as a table, as JSON and as JUnit's XML."""

from __future__ import annotations

import shutil
import textwrap
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from .outcome import Result, Status

Verified = Sequence[tuple[str, Sequence[Result]]]
"""Bundle's name and results, one bundle after another."""


def exit_status(results: Iterable[Result]) -> int:
    """0: nothing failed; 1: a check failed; 2: a check could not run."""
    found = {result.status for result in results}
    return 2 if Status.ERROR in found else 1 if Status.FAIL in found else 0


def lines(result: Result) -> list[str]:
    """One check for the terminal: a row, and below it what is wrong and how to mend it."""
    width = max(60, min(120, shutil.get_terminal_size().columns))
    note = f"  ({result.note})" if result.note else ""
    row = f"{result.status.value:<8} {result.check:<26} {result.title}{note}"
    found = textwrap.wrap(_plain(row), width, subsequent_indent=" " * 36)
    for problem in result.problems:
        for mark, text in (("-", f"{problem.status.value}: {problem.why}"), (">", problem.mend)):
            found += textwrap.wrap(f"{mark} {_plain(text)}", width, initial_indent=" " * 9, subsequent_indent=" " * 11)
    return found


def summary(results: Sequence[Result]) -> str:
    """How many passed, failed and so on."""
    counts = Counter(result.status for result in results)
    return ", ".join(f"{counts[status]} {status.value}" for status in Status if counts[status])


def to_json(verified: Verified) -> list[dict[str, Any]]:
    """Everything, as JSON values."""
    return [
        {
            "bundle": name,
            "exit_status": exit_status(results),
            "checks": [
                {
                    "id": r.check,
                    "title": r.title,
                    "status": r.status.value,
                    "note": r.note,
                    "problems": [{"status": p.status.value, "why": p.why, "mend": p.mend} for p in r.problems],
                }
                for r in results
            ],
        }
        for name, results in verified
    ]


def to_junit(verified: Verified) -> str:
    """A `testsuite` per bundle, a `testcase` per check; warnings are its `system-out`."""
    suites = ET.Element("testsuites")
    for name, results in verified:
        counts = Counter(r.status for r in results)
        suite = ET.SubElement(
            suites,
            "testsuite",
            name=_plain(name),
            tests=str(len(results)),
            failures=str(counts[Status.FAIL]),
            errors=str(counts[Status.ERROR]),
            skipped=str(counts[Status.SKIPPED]),
        )
        for result in results:
            family = result.check.partition(".")[0]
            case = ET.SubElement(suite, "testcase", classname=f"{_plain(name)}.{family}", name=result.check)
            text = _plain("\n".join(f"{p.status.value}: {p.why}. {p.mend}" for p in result.problems) or result.note)
            tags = {Status.FAIL: "failure", Status.ERROR: "error", Status.SKIPPED: "skipped"}
            if result.status in tags:
                element = ET.SubElement(case, tags[result.status], message=text.splitlines()[0] if text else "")
                element.text = text
            elif text:
                ET.SubElement(case, "system-out").text = text
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def _plain(text: str) -> str:
    """Without characters that steer a terminal or that XML forbids: names come from a stranger's file."""
    return "".join(c if c == "\n" or c.isprintable() else "?" for c in text)
