"""``cxr prepare check``: is a datalist sound, and what does it hold?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_io import raise_problems, read_datalist
from cxr_common.data.datalist_validation import validate_datalist
from cxr_tools.prepare.summary import summarize


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser("check", help="check a datalist and print what it holds", description=__doc__)
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--root", type=Path, help="data set root (default: the datalist's folder)")
    parser.add_argument("--no-check-files", action="store_true", help="do not check whether the files exist")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Print the counts, or raise with the problems."""
    data = read_datalist(args.datalist)
    root = args.root or args.datalist.parent
    raise_problems(args.datalist, validate_datalist(data, root, check_files=not args.no_check_files))
    print(summarize(data))
