"""What a check can say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(str, Enum):
    """Of one check, from good to bad. `ERROR`: the check itself could not run."""

    PASS = "pass"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAIL = "fail"
    ERROR = "error"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Args:
        why: what is wrong, and where.
        mend: what to do about it.
        status: FAIL, or WARNING where the bundle still works.
    """

    why: str
    mend: str
    status: Status = Status.FAIL


def warning(why: str, mend: str) -> Problem:
    """A problem with which the bundle still works."""
    return Problem(why, mend, Status.WARNING)


@dataclass(frozen=True)
class Result:
    """Of one check on one bundle.

    Args:
        check: id of the check.
        title: what it asks, in words.
        status: the worst of the problems, or why there are none.
        note: why it was skipped, or what a passing check measured.
        problems: what is wrong.
    """

    check: str
    title: str
    status: Status
    note: str = ""
    problems: tuple[Problem, ...] = ()


class Skip(Exception):
    """A check has nothing to look at; the message says why."""


class CannotRun(Exception):
    """There is no bundle that could be checked.

    Args:
        why: what stands in the way.
        mend: what to do about it.
    """

    def __init__(self, why: str, mend: str) -> None:
        super().__init__(f"{why}: {mend}")
