"""Bundles through `cxr_verify`, with one error for whatever fails."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cxr_common.errors import InputError
from cxr_verify.options import Options
from cxr_verify.outcome import CannotRun, Status
from cxr_verify.runner import verify
from cxr_verify.source import open_bundle


def check_verified(paths: Iterable[Path], options: Options) -> None:
    """Print a line for each bundle that passes, with the checks that only warn.

    Args:
        paths: folders or zips.
        options: of the verification.

    Raises:
        InputError: a check failed, or could not run.
    """
    for path in paths:
        try:
            with open_bundle(path) as bundle:
                results = list(verify(bundle, options))
        except CannotRun as error:
            raise InputError(str(error), path) from error
        failed = [r for r in results if r.status in (Status.FAIL, Status.ERROR)]
        if failed:
            told = (f"{r.check}: {text}" for r in failed for text in [p.why for p in r.problems] or [r.note])
            raise InputError("\n  ".join(("does not pass cxr verify", *told)), path, "see docs/how-to/verify.md")
        passed = sum(result.status is Status.PASS for result in results)
        warned = [result.check for result in results if result.status is Status.WARNING]
        print(
            f"{path.parent.name}/{path.name}: {passed} checks passed, {len(warned)} warned {' '.join(warned)}".strip()
        )
