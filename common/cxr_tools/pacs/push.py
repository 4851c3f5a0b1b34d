"""The command "push": results into a PACS, each once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from cxr_common.errors import InputError
from cxr_tools.pacs import options
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.patience import NotAllowed, Unreachable
from cxr_tools.pacs.pull import report_failures


class Destination(Protocol):
    """Where results go."""

    def store(self, files: Sequence[Path]) -> None:
        """Store files, those that are there already without harm.

        Raises:
            Unreachable: it stayed away.
            InputError: it refuses one.
        """


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("push", help="results that are not in the PACS yet into it")
    options.add_work(parser)
    options.add_pacs(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Push; returns the exit status."""
    pacs = options.open_pacs(args)
    with options.open_ledger(args) as ledger:
        push(pacs, ledger, again=True)
        print(ledger.summary())
        return report_failures(ledger, args.show_identity)


def push(destination: Destination, ledger: Ledger, again: bool = False) -> None:
    """Send the results that wait.

    A crash after a file was sent and before that was noted sends it again: its UID is the same, so it is there once.
    Where the destination refuses one result of an image, the others are sent all the same.

    Args:
        destination: where they go.
        ledger: says which wait.
        again: also try those that were refused earlier.

    Raises:
        Unreachable: the destination stayed away; what it has is noted.
        NotAllowed: it lets nobody in like this; all that is left still waits.
    """
    waiting = ledger.entries(("inferred",))
    if again:
        waiting += [entry for entry in ledger.entries(("failed",)) if ledger.waiting_results(entry.instance)]
    for entry in tqdm(waiting, desc="push", unit="image", disable=not waiting):
        files, refusals = ledger.waiting_results(entry.instance), []
        if not all(file.is_file() for file in files):
            ledger.note(entry.instance, "here")  # results were removed: the bundle makes them again
            continue
        for file in files:
            try:
                destination.store([file])
                ledger.pushed(file)
            except (Unreachable, NotAllowed):
                raise
            except InputError as error:
                refusals.append(error.reason)
        ledger.note(entry.instance, "failed" if refusals else "pushed", "; ".join(dict.fromkeys(refusals)))
