"""Options that several commands share."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
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


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Which radiographs."""
    parser.add_argument("--modality", default="CR,DX", help="modalities, by commas")
    parser.add_argument("--date", default="", help="study date as 20260131, or from-to as 20260101-20260131")
    parser.add_argument("--body-part", default="", help="BodyPartExamined of the series, such as CHEST")
    parser.add_argument("--study", default="", help="UID of one study")
    parser.add_argument("--series", default="", help="UID of one series; needs --study")


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
    if args.patience < 0:
        raise InputError(f"is {args.patience}", "--patience", "give 0 or more seconds")
    return WebPacs(args.url, make_session(args.url, args.ca), args.patience)


@contextmanager
def open_ledger(args: argparse.Namespace) -> Iterator[Ledger]:
    """The ledger of the work folder, which no other command uses meanwhile."""
    with locked(args.work), closing(Ledger(args.work)) as ledger:
        yield ledger


def check_choice(args: argparse.Namespace) -> None:
    """Refuse a choice that no PACS understands, or that matches everything; make codes upper case, as PACS have them.

    Raises:
        InputError: names the option.
    """
    _check_date(args.date)
    args.modality = ",".join(filter(None, (name.strip().upper() for name in args.modality.split(","))))
    args.body_part = args.body_part.strip().upper()
    if not re.fullmatch(r"[A-Z0-9_ ]{1,16}(,[A-Z0-9_ ]{1,16})*", args.modality):
        raise InputError("names no modality", "--modality", "give modalities by commas, such as CR,DX")
    if args.series and not args.study:
        raise InputError("needs the study that the series is in", "--series", "give --study too")
    for name in ("study", "series"):
        if getattr(args, name) and not re.fullmatch(r"[0-9.]{1,64}", getattr(args, name)):
            raise InputError("is not a UID", f"--{name}", "give digits and dots")


def _check_date(text: str) -> None:
    action = "give 20260131, or 20260101-20260131"
    if text and not re.fullmatch(r"[0-9]{8}(-([0-9]{8})?)?|-[0-9]{8}", text):
        raise InputError("is not a date", "--date", action)
    days = [day for day in text.split("-") if day]
    try:
        for day in days:
            datetime.strptime(day, "%Y%m%d")
    except ValueError:
        raise InputError(f"there is no day {day}", "--date", action) from None
    if days != sorted(days):
        raise InputError("ends before it begins", "--date", action)
