"""``cxr prepare merge``: one datalist from several."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_io import declare_outside, raise_problems, write_datalist
from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.errors import InputError
from cxr_common.labels import LABELS
from cxr_tools.prepare.merge import merge_datalists
from cxr_tools.prepare.summary import summarize


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("merge", help="join datalists", description=__doc__)
    parser.add_argument("datalists", type=Path, nargs="+")
    parser.add_argument(
        "--root", type=Path, action="append", help="data set root of each datalist (default: its folder)"
    )
    parser.add_argument("--labels", help="'shared' (the list of all shipped weights) or names; default: all that occur")
    parser.add_argument(
        "--names",
        nargs="+",
        help="prefix for the patients of each datalist, if the same number may mean different patients",
    )
    parser.add_argument(
        "--leave-out-leaks",
        action="store_true",
        help="leave out training and validation items whose patient is scored, and training items of validation's",
    )
    parser.add_argument("--no-check-files", action="store_true", help="do not check whether the files exist")
    parser.add_argument(
        "--output", type=Path, required=True, help="datalist to write; its folder becomes the data set root"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the merged datalist and print what it holds."""
    roots = args.root or [path.parent for path in args.datalists]
    for option, values in (("roots", roots), ("names", args.names)):
        if values is not None and len(values) != len(args.datalists):
            raise InputError(f"{len(values)} {option} for {len(args.datalists)} datalists")
    labels = LABELS if args.labels == "shared" else args.labels.split(",") if args.labels else None
    data = merge_datalists(args.datalists, roots, args.output.parent, labels, args.names, args.leave_out_leaks)
    data = declare_outside(data)
    raise_problems(args.output, validate_datalist(data, args.output.parent, check_files=not args.no_check_files))
    write_datalist(data, args.output)
    print(summarize(data))
    print(f"wrote {args.output}")
