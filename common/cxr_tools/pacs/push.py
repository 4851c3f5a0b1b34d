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
from cxr_tools.pacs.patience import Unreachable
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
    pacs, ledger = options.open_pacs(args), options.open_ledger(args)
    push(pacs, ledger)
    print(ledger.summary())
    return report_failures(ledger, args.show_identity)


def push(destination: Destination, ledger: Ledger) -> None:
    """Send the results that wait.

    A crash after a file was sent and before that was noted sends it again: its UID is the same, so it is there once.

    Raises:
        Unreachable: the destination stayed away; what it has is noted.
    """
    waiting = ledger.entries(("inferred",))
    for entry in tqdm(waiting, desc="push", unit="image", disable=not waiting):
        try:
            for file in ledger.waiting_results(entry.instance):
                if not file.is_file():
                    raise InputError("its results are gone from the work folder", "PACS", "run again")
                destination.store([file])
                ledger.pushed(file)
            ledger.note(entry.instance, "pushed")
        except Unreachable:
            raise
        except InputError as error:
            ledger.note(entry.instance, "failed", error.reason)
