"""The command "listen": receive radiographs, run a bundle on them, send the results on, as hospitals route."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.pacs import options
from cxr_tools.pacs.credentials import make_session
from cxr_tools.pacs.inference import Infer, infer_batch, sweep_images
from cxr_tools.pacs.ledger import Ledger
from cxr_tools.pacs.network import NetworkPacs
from cxr_tools.pacs.patience import Unreachable
from cxr_tools.pacs.pull import image_path
from cxr_tools.pacs.push import Destination, push
from cxr_tools.pacs.receiver import Limits, Receiver, callers_of, is_title
from cxr_tools.pacs.run_bundle import chosen_bundle
from cxr_tools.pacs.web import WebPacs

#: Seconds between two looks at the queue when nothing arrives: what failed for now is tried again then.
PAUSE = 5.0


def add_parser(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("listen", help="receive by C-STORE, run a bundle, send results to a PACS")
    options.add_work(parser)
    options.add_bundle(parser)
    parser.add_argument("--to", required=True, help="where results go: AETITLE@host:port or a DICOMweb address")
    parser.add_argument("--ca", type=Path, help="certificate for a DICOMweb address")
    parser.add_argument(
        "--patience", type=float, default=30, help="seconds between two messages that the PACS does not answer"
    )
    parser.add_argument("--aet", default="CXRBUNDLES", help="our AE title")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for all")
    parser.add_argument("--port", type=int, default=11112, help="port to listen on")
    parser.add_argument("--allow", default="", help="AE titles that may call, by commas; others are refused")
    parser.add_argument("--associations", type=int, default=8, help="callers at a time")
    parser.add_argument("--megabytes", type=int, default=256, help="largest instance")
    parser.add_argument("--free-megabytes", type=int, default=512, help="free space that must remain on the disk")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Listen until a signal; returns the exit status."""
    _check(args)
    bundle, destination = chosen_bundle(args), _destination(args)
    with options.open_ledger(args) as ledger:
        ledger.belongs_to(bundle.line())
        sweep_images(args.work)
        return _listen(args, ledger, bundle, destination)


def _check(args: argparse.Namespace) -> None:
    """Refuse numbers that would refuse every sender, and titles and ports that DICOM does not have."""
    for name, least in (("patience", 0), ("associations", 1), ("megabytes", 1), ("free_megabytes", 0), ("port", 0)):
        if getattr(args, name) < least:
            option = "--" + name.replace("_", "-")
            raise InputError(f"is {getattr(args, name)}", option, f"give {least} or more")
    if args.port > 65535:
        raise InputError(f"is {args.port}", "--port", "give at most 65535")
    if not is_title(args.aet):
        raise InputError(f"is {args.aet!r}", "--aet", "give 1 to 16 ASCII characters without a backslash")


def _listen(args: argparse.Namespace, ledger: Ledger, bundle: Infer, destination: Destination) -> int:
    limits = Limits(args.megabytes, args.associations, args.free_megabytes, callers_of(args.allow))
    receiver = Receiver(ledger, args.work, args.aet, args.host, args.port, limits)
    receiver.start()
    stop = threading.Event()

    def end(*_: object) -> None:
        stop.set()
        receiver.arrived.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    print(f"listening as {args.aet} on {args.host}:{receiver.port}; {ledger.summary()}", flush=True)
    try:
        work_off(ledger, args.work, bundle, destination, receiver.arrived, stop, args.batch)
    finally:
        receiver.stop()
        print(f"stopped; {ledger.summary()}", flush=True)
    return 0


def _destination(args: argparse.Namespace) -> Destination:
    if args.to.startswith(("http://", "https://")):
        return WebPacs(args.to, make_session(args.to, args.ca), args.patience)
    return NetworkPacs.parse(args.to, args.aet, args.patience)


def work_off(
    ledger: Ledger,
    work: Path,
    infer: Infer,
    destination: Destination,
    arrived: threading.Event,
    stop: threading.Event,
    batch: int,
    pause: float = PAUSE,
) -> None:
    """Process instances, again and again, until it should stop.

    Whatever cannot go on stays where the ledger has it, and one line says why.

    Args:
        ledger: the queue.
        work: work folder.
        infer: the bundle.
        destination: where results go.
        arrived: is set where something came.
        stop: ends the work after the batch at hand.
        batch: images at a time.
        pause: seconds between two looks at the queue.
    """
    told, again = "", True
    while not stop.is_set():
        arrived.clear()
        try:
            here = [entry for entry in ledger.entries(("here",), batch) if image_path(work, entry).is_file()]
            if here:
                infer_batch(infer, ledger, work, here)
            push(destination, ledger, again)
            again = False  # what was refused is tried once, not every few seconds
            if here:
                told = ""
                print(ledger.summary(), flush=True)
                continue
        except (InputError, OSError) as error:  # OSError: a full disk
            line = f"waiting: {error}" if isinstance(error, Unreachable) else f"error: {error}"
            if line != told:
                print(line, file=sys.stderr, flush=True)
            told = line
        if not stop.is_set():
            arrived.wait(pause)
