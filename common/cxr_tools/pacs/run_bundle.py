"""The command "run": pull, infer and push in one go."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cxr_common.dicom_results import KINDS, possible_kinds
from cxr_common.errors import InputError
from cxr_common.loading import find_bundle
from cxr_tools.pacs import choice, options
from cxr_tools.pacs.inference import Bundle, Infer, infer_batch, sweep_images
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.pull import fetch, find, image_path, report_failures
from cxr_tools.pacs.push import push
from cxr_tools.pacs.web import WebPacs


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("run", help="pull, infer and push in one go")
    for add in (options.add_work, options.add_pacs, choice.add_choice, options.add_bundle):
        add(parser)
    parser.set_defaults(run=run)


def chosen_bundle(args: argparse.Namespace) -> Bundle:
    """The bundle that the options name.

    Raises:
        InputError: it is none, or a kind of result is unknown.
    """
    folder = find_bundle(args.bundle).resolve()
    kinds = tuple(name.strip() for name in args.outputs.split(",") if name.strip()) or possible_kinds(folder)
    if set(kinds) - set(KINDS):
        raise InputError(f"is {args.outputs!r}", "--outputs", f"give any of {','.join(KINDS)}")
    if args.batch < 1:
        raise InputError(f"is {args.batch}", "--batch", "give 1 or more")
    return Bundle(folder, kinds, args.deidentify)


def run(args: argparse.Namespace) -> int:
    """Pull, infer, push; returns the exit status."""
    choice.check_choice(args)
    bundle, pacs = chosen_bundle(args), options.open_pacs(args)
    with options.open_ledger(args) as ledger:
        ledger.belongs_to(bundle.line())
        sweep_images(args.work)
        studies = find(pacs, ledger, args)
        run_studies(pacs, ledger, args.work, bundle, studies, args.batch)
        print(ledger.summary())
        return report_failures(ledger, args.show_identity)


def run_studies(pacs: WebPacs, ledger: Ledger, work: Path, infer: Infer, studies: list[str], batch: int) -> None:
    """Take studies through, a few at a time, so that first results are in the PACS before the last image is here.

    Args:
        pacs: where they are from and go to.
        ledger: the ledger.
        work: work folder.
        infer: the bundle.
        studies: UIDs.
        batch: images at a time.
    """
    push(pacs, ledger, again=True)  # what an earlier run left
    waiting: set[str] = set()
    for study in studies:
        waiting.add(study)
        if sum(entry.study in waiting for entry in ledger.entries(("found", "here"))) >= batch:
            _take_through(pacs, ledger, work, infer, waiting, batch)
            waiting = set()
    _take_through(pacs, ledger, work, infer, waiting, batch)


def _take_through(pacs: WebPacs, ledger: Ledger, work: Path, infer: Infer, studies: set[str], batch: int) -> None:
    fetch(pacs, ledger, work, studies)
    while here := [entry for entry in ledger.entries(("here",)) if entry.study in studies][:batch]:
        there = [entry for entry in here if image_path(work, entry).is_file()]
        for entry in here:
            if entry not in there:
                ledger.note(entry.instance, "found")  # its file was removed: it is fetched another time
        if there:
            infer_batch(infer, ledger, work, there)
        push(pacs, ledger)
