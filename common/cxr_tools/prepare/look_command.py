"""``cxr prepare look``: what is in a datalist, as a page to look at before training.

Pictures of each class and section with boxes and masks, counts, labels that occur together, sizes and views; and
warnings: images that are in two sections (the same bytes, or nearly the same look), constant or unreadable ones,
laterals among frontals, boxes outside, masks that do not fit.
"""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from cxr_common.data.datalist_io import read_datalist
from cxr_common.errors import InputError
from cxr_tools.prepare.located import located
from cxr_tools.worker_pool import worker_pool

if TYPE_CHECKING:
    from cxr_tools.prepare.look.fingerprint import Fingerprint


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "look",
        help="a page of pictures, counts and warnings of a datalist",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--root", type=Path, help="data set root (default: the datalist's folder)")
    parser.add_argument("--output", type=Path, help="page to write (default: the datalist's name with .html)")
    parser.add_argument("--pictures", type=int, default=4, help="of each class and section")
    parser.add_argument("--limit", type=int, help="largest number of images of each section, for a first look")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="number of processes that read images"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the page and print its warnings."""
    from cxr_tools.prepare.look.page import entries_of, write_page  # only what a run needs

    for name in ("pictures", "limit"):
        if (value := getattr(args, name)) is not None and value < 1:
            raise InputError(f"is {value}", f"--{name}", "give a whole number from 1 on")
    data = read_datalist(args.datalist)
    root = args.root or args.datalist.parent
    page = args.output or args.datalist.with_suffix(".html")
    counted: dict[str, int] = {}
    entries = []
    for section, item in entries_of(data):
        counted[section] = counted.get(section, 0) + 1
        if args.limit is None or counted[section] <= args.limit:
            entries.append((section, item))
    if not entries:
        raise InputError("holds no image", args.datalist)
    prints = _fingerprints([located(root, item["image"]) for _, item in entries], args.processes)
    warnings = write_page(entries, data["labels"], prints, root, page, args.pictures)
    for title, count in warnings.items():
        print(f"{count} x {title}")
    if not warnings:
        print("nothing to warn of")
    print(f"wrote {page}: {len(entries)} images")


def _fingerprints(paths: list[Path], processes: int) -> list[Fingerprint]:
    import torch

    from cxr_tools.prepare.look.fingerprint import fingerprint

    bar = partial(tqdm, total=len(paths), desc="read", unit=" images", disable=None)
    if processes == 1 or len(paths) < 64:  # starting processes takes longer
        return [fingerprint(path) for path in bar(paths)]
    with worker_pool(processes, partial(torch.set_num_threads, 1)) as pool:
        return list(bar(pool.map(fingerprint, paths, chunksize=16)))
