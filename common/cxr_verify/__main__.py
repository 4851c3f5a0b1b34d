"""Verify MONAI bundles: cxr-verify BUNDLE [BUNDLE ...].

Each BUNDLE is a folder, a zip, or a folder as Hugging Face has it. Nothing is downloaded. The exit status is 0 when
nothing failed, 1 when a check failed, 2 when one could not run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .content import record, write_whole
from .options import Options
from .outcome import CannotRun, Result
from .registry import CHECKS
from .report import exit_status, lines, summary, to_json, to_junit
from .runner import verify
from .source import open_bundle
from .unpack import MAX_BYTES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cxr-verify", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundles", nargs="*", type=Path, metavar="BUNDLE", help="folder or zip")
    parser.add_argument("--list", action="store_true", help="list the checks")
    parser.add_argument("--zoo", action="store_true", help="only what the model zoo's CI checks")
    parser.add_argument("--static", action="store_true", help="read files only, execute nothing of the bundle")
    parser.add_argument("--exports", action="store_true", help="TorchScript and ONNX too (slow)")
    parser.add_argument("--pure", action="store_true", help="configs only: no Python, $ expressions from a list")
    parser.add_argument(
        "--allow-call", action="append", default=[], metavar="NAME", help="another call that --pure allows"
    )
    parser.add_argument("--commands", action="store_true", help="run the commands of the card")
    parser.add_argument("--data", type=Path, help="data set for these commands")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ID", help="run only this check or family; repeatable"
    )
    parser.add_argument(
        "--skip", action="append", default=[], metavar="ID", help="a check or family to leave out; repeatable"
    )
    parser.add_argument(
        "--released", type=Path, metavar="FILE", help="JSON of released versions, such as model_info.json"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="add the version to such a file if nothing failed")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for one check (default: 300)")
    parser.add_argument(
        "--max-gigabytes", type=float, default=MAX_BYTES / 1024**3, help="largest unpacked zip (default: 8)"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write results as JSON; - prints them instead of the table"
    )
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write results as JUnit's XML")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.list:
        for check in CHECKS.values():
            print(f"{check.id:<26} {'zoo' if check.zoo else '   '}  {check.title}")
        return 0
    if not given.bundles:
        parser.error("name at least one bundle")
    options = Options(
        static=given.static,
        zoo=given.zoo,
        exports=given.exports,
        pure=given.pure,
        commands=given.commands,
        data=given.data,
        released=given.released,
        only=tuple(given.only),
        skip=tuple(given.skip),
        allowed=frozenset(given.allow_call),
        timeout=given.timeout,
    )
    quiet = given.json == Path("-")
    verified: list[tuple[str, list[Result]]] = []
    worst = 0
    for path in given.bundles:
        try:
            with open_bundle(path, int(given.max_gigabytes * 1024**3)) as bundle:
                if not quiet:
                    print(f"{path}: {bundle.name}")
                results: list[Result] = []
                verified.append((bundle.name, results))
                for result in verify(bundle, options):
                    results.append(result)
                    if not quiet:
                        print("\n".join(lines(result)), flush=True)
                if not quiet:
                    print(f"{bundle.name}: {summary(results)}\n")
                status = exit_status(results)
                if given.record and not status:
                    record(bundle, given.record)
                worst = max(worst, status)
        except (CannotRun, ValueError) as error:
            print(f"error: {error}", file=sys.stderr)
            worst = 2
    written = [(given.json, json.dumps(to_json(verified), indent=2) + "\n"), (given.junit, to_junit(verified))]
    for path, text in written:
        try:
            if path:
                _write(path, text)
        except CannotRun as error:
            print(f"error: {error}", file=sys.stderr)
            worst = 2
    return worst


def _write(path: Path, text: str) -> None:
    if path == Path("-"):
        sys.stdout.write(text)
    else:
        write_whole(path, text)


if __name__ == "__main__":
    sys.exit(main())
