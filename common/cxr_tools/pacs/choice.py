"""Which radiographs of a PACS are meant."""

from __future__ import annotations

import argparse
import re
from datetime import datetime

from cxr_common.errors import InputError


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Which radiographs."""
    parser.add_argument("--modality", default="CR,DX", help="modalities, by commas")
    parser.add_argument("--date", default="", help="study date as 20260131, or from-to as 20260101-20260131")
    parser.add_argument("--body-part", default="", help="BodyPartExamined of the series, such as CHEST")
    parser.add_argument("--study", default="", help="UID of one study")
    parser.add_argument("--series", default="", help="UID of one series; needs --study")


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
