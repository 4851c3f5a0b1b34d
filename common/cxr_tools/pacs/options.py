"""Options that several commands share."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from cxr_common.errors import InputError
from cxr_tools.pacs.credentials import make_session
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.lock import locked
from cxr_tools.pacs.web import WebPacs


def add_work(parser: argparse.ArgumentParser) -> None:
    """Where everything lies between PACS and PACS."""
    parser.add_argument("--work", type=Path, required=True, help="folder of the ledger, images and results")
    parser.add_argument(
        "--show-identity", action="store_true", help="print UIDs and what headers say; without it nobody is named"
    )


def add_pacs(parser: argparse.ArgumentParser) -> None:
    """Which PACS. User and password come from the environment or the keyring alone."""
    parser.add_argument("--url", required=True, help="DICOMweb address, such as https://pacs.example/dicom-web")
    parser.add_argument("--ca", type=Path, help="PEM file of the certificate that signed the PACS' own")
    parser.add_argument(
        "--patience", type=float, default=120, help="seconds to keep trying if the PACS does not answer"
    )


def add_bundle(parser: argparse.ArgumentParser) -> None:
    """Which bundle, and what it sends back."""
    parser.add_argument("--bundle", default="cxr_multiscale_localization")
    parser.add_argument(
        "--outputs", default="", help="kinds of results to send, by commas; default: all that the bundle can make"
    )
    parser.add_argument("--deidentify", action="store_true", help="results lose the patient's identity (PS3.15)")
    parser.add_argument("--batch", type=int, default=64, help="images that one start of the bundle takes at most")


def open_pacs(args: argparse.Namespace) -> WebPacs:
    """The PACS that the options name.

    Raises:
        InputError: they do not fit.
    """
    if not 0 <= args.patience < math.inf:  # nan is neither
        raise InputError(f"is {args.patience}", "--patience", "give 0 or more seconds")
    return WebPacs(args.url, make_session(args.url, args.ca), args.patience)


@contextmanager
def open_ledger(args: argparse.Namespace) -> Iterator[Ledger]:
    """The ledger of the work folder, which no other command uses meanwhile."""
    with locked(args.work), closing(Ledger(args.work)) as ledger:
        yield ledger
