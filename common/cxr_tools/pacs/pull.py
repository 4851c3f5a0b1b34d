"""The command "pull": frontal radiographs of a PACS into a folder, as they are stored."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from cxr_common.data.dicom import refuse_other_views
from cxr_common.errors import InputError
from cxr_common.files import replacing
from cxr_tools.pacs import choice, options
from cxr_tools.pacs.ledger import Entry, Ledger
from cxr_tools.pacs.patience import NotAllowed, Unreachable
from cxr_tools.pacs.web import WebPacs

IMAGES = "images"


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("pull", help="radiographs from a PACS into a folder")
    for add in (options.add_work, options.add_pacs, choice.add_choice):
        add(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Pull; returns the exit status."""
    choice.check_choice(args)
    pacs = options.open_pacs(args)
    with options.open_ledger(args) as ledger:
        find(pacs, ledger, args)
        fetch(pacs, ledger, args.work)
        print(f"{ledger.summary()}; images in {args.work / IMAGES}")
        return report_failures(ledger, args.show_identity)


def find(pacs: WebPacs, ledger: Ledger, args: argparse.Namespace) -> list[str]:
    """Note all instances that match the options; returns the UIDs of their studies."""
    found = []
    for study, series, instance in instances(pacs, args):
        ledger.add(instance, series, study)
        found.append(study)
    if not found:
        print("the PACS has nothing that matches", file=sys.stderr)
    return list(dict.fromkeys(found))


def instances(pacs: WebPacs, args: argparse.Namespace) -> Iterator[tuple[str, str, str]]:
    """UIDs of study, series and instance of all instances that match the options."""
    for study in [args.study] if args.study else _studies(pacs, args):
        for series in [args.series] if args.series else _series(pacs, study, args):
            for instance in pacs.instances(study, series):
                yield study, series, instance


def _studies(pacs: WebPacs, args: argparse.Namespace) -> Iterator[str]:
    seen = set()
    for modality in args.modality.split(","):
        filters = {"ModalitiesInStudy": modality.strip()} | ({"StudyDate": args.date} if args.date else {})
        for study in pacs.studies(filters):
            if study not in seen:
                seen.add(study)
                yield study


def _series(pacs: WebPacs, study: str, args: argparse.Namespace) -> list[str]:
    part = {"BodyPartExamined": args.body_part} if args.body_part else {}
    return [uid for name in args.modality.split(",") for uid in pacs.series(study, {"Modality": name.strip(), **part})]


def image_path(work: Path, entry: Entry) -> Path:
    """Where the file of an instance lies."""
    return work / IMAGES / f"{entry.name}.dcm"


def fetch(pacs: WebPacs, ledger: Ledger, work: Path, studies: set[str] | None = None) -> None:
    """Fetch what is found and not here yet.

    Args:
        pacs: the PACS.
        ledger: says what is found.
        work: work folder.
        studies: only those; None is all.

    Raises:
        Unreachable: the PACS stayed away; what is here stays noted.
    """
    waiting = [e for e in ledger.entries(("found", "failed")) if studies is None or e.study in studies]
    waiting = [entry for entry in waiting if entry.state == "found" or not image_path(work, entry).is_file()]
    for entry in tqdm(waiting, desc="pull", unit="image", disable=not waiting):
        where = (entry.study, entry.series, entry.instance)
        try:
            try:
                refuse_other_views(pacs.header(*where), Path(entry.name))
            except InputError as error:
                if isinstance(error, (Unreachable, NotAllowed)) or error.where == "PACS":
                    raise
                ledger.note(entry.instance, "refused", error.reason)
                continue
            dataset = pacs.fetch(*where)
            with replacing(image_path(work, entry)) as temporary:
                dataset.save_as(temporary, enforce_file_format=True)
            ledger.note(entry.instance, "here")
        except (Unreachable, NotAllowed):
            raise
        except InputError as error:
            if error.where != "PACS":  # the disk
                raise
            ledger.note(entry.instance, "failed", error.reason)
        except Exception as error:  # what pydicom makes of damaged data
            ledger.note(entry.instance, "failed", f"the PACS' copy cannot be read ({type(error).__name__})")


def report_failures(ledger: Ledger, show_identity: bool) -> int:
    """Print what failed or was refused; returns the exit status."""
    failed = ledger.entries(("failed",))
    for entry in [*ledger.entries(("refused",)), *failed]:
        # What stands in brackets is from headers.
        reason = entry.error if show_identity else re.sub(r" \([^)]*\)", "", entry.error)
        name = f"{entry.name} = {entry.instance}" if show_identity else entry.name
        print(f"  {name}: {entry.state}: {reason}")
    return 1 if failed else 0
