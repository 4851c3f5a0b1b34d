"""Runs the checks on a bundle."""

from __future__ import annotations

from collections.abc import Iterator

from . import checks  # noqa: F401  fills the list of checks
from .bundle import Bundle
from .needs import NEEDS
from .options import Options
from .outcome import CannotRun, Problem, Result, Skip, Status
from .registry import CHECKS, Check

_ORDER = list(Status)


def verify(bundle: Bundle, options: Options) -> Iterator[Result]:
    """The result of every check, as each ends.

    Raises:
        CannotRun: if `options` name a check that does not exist.
    """
    chosen = _chosen(options)
    failed: set[str] = set()
    for check in chosen:
        result = _run(check, bundle, options, failed)
        if result.status in (Status.FAIL, Status.ERROR):
            failed.add(check.id)
        yield result


def _chosen(options: Options) -> list[Check]:
    families = {id.split(".")[0] for id in CHECKS}
    for name in (*options.only, *options.skip):
        if name not in CHECKS and name not in families:
            raise CannotRun(f"no check or family is called {name!r}", "--list shows them")

    def named(check: Check, names: tuple[str, ...]) -> bool:
        return check.id in names or check.id.split(".")[0] in names

    return [
        c
        for c in CHECKS.values()
        if (not options.only or named(c, options.only))
        and not named(c, options.skip)
        and (c.zoo or not options.zoo or named(c, options.only))
    ]


def _run(check: Check, bundle: Bundle, options: Options, failed: set[str]) -> Result:
    for need in check.needs:
        if reason := NEEDS[need](bundle, options):
            return Result(check.id, check.title, Status.SKIPPED, reason)
    for other in check.after:
        if other in failed:
            return Result(check.id, check.title, Status.SKIPPED, f"{other} failed")
    try:
        told = list(check.function(bundle, options))
    except Skip as reason:
        return Result(check.id, check.title, Status.SKIPPED, str(reason))
    except Exception as error:  # a defect of this program must not hide the other results
        return Result(check.id, check.title, Status.ERROR, f"{type(error).__name__}: {error}")
    problems = tuple(t for t in told if isinstance(t, Problem))
    status = max((p.status for p in problems), key=_ORDER.index, default=Status.PASS)
    return Result(check.id, check.title, status, "; ".join(t for t in told if isinstance(t, str)), problems)
