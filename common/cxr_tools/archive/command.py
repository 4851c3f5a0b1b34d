"""`cxr archive run`: what it is given, and what it does from beginning to end."""

from __future__ import annotations

import argparse
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

from cxr_common.errors import InputError
from cxr_tools.archive.source import is_address
from cxr_tools.bundle_parser import BundleParser, absolute, add_bundle
from cxr_tools.pacs.choice import add_choice, check_choice
from cxr_tools.yaml_files import parse_yaml

EXAMPLES = """examples:
  cxr archive run --input /archive --output found                      # a folder, on all cores of this machine
  cxr archive run --input list.txt --output found --partition date     # paths in a text file; a folder for each day
  cxr archive run --input https://pacs.example/dicom-web --date 20260301-20260331 --output found
  cxr archive run --input /archive --output found --files dicom_seg,png --files-of positives
  cxr archive run --input /archive --output found --address ray://head:10001       # a cluster

Any further --name value is an option of the bundle, such as --batch_size 8 (docs/reference/configuration.md). The same
command goes on where a run was killed, and adds images that are new. An image that cannot be used is a row with an
error; the exit status is then 1. docs/how-to/archive.md has more.
"""
#: Options of bundles that mean nothing here, or that this command gives itself.
_NOT_HERE = (
    "dataset_dir",
    "output_dir",
    "outputs",
    "num_workers",
    "writers",
    "resume",
    "amp",
    "deterministic_uids",
    "device",
)
#: Options of a PACS -> value where they are not given.
_OF_PACS = {"date": "", "body_part": "", "study": "", "series": "", "modality": "CR,DX", "ca": None}


def make_parser() -> BundleParser:
    """The parser of its options."""
    parser = BundleParser(
        prog="cxr archive run", description="Look for findings in very many radiographs.", epilog=EXAMPLES
    )
    add = parser.add_argument
    add("--input", required=True, help="folder, image, text file with a path in each line, or DICOMweb address")
    add("--output", type=Path, required=True, help="folder for results; on a cluster one that all machines see")
    add_bundle(parser)
    add("--partition", choices=("hash", "date"), default="hash", help="folders of results: by hash or by study date")
    add(
        "--rows",
        type=int,
        default=1000,
        help="images of a Parquet file, which appears when they are done (default: 1000)",
    )
    add("--files", default="", metavar="KINDS", help="files besides the rows, such as png,dicom_seg (default: none)")
    add("--files-of", default="positives", metavar="WHICH", help="positives (default), all, or a share such as 0.01")
    add("--retry", action="store_true", help="try images again that have an error")
    add("--address", help="Ray cluster: ray://host:10001 or host:6379; without it this machine alone")
    add("--networks", type=int, help="processes that run the network (default: one for each GPU, or half of the cores)")
    add("--network-cores", type=int, default=1, help="cores of each of them (default: 1)")
    add(
        "--show-identity",
        action="store_true",
        help="print paths, UIDs and what headers say",
    )
    of_pacs = parser.add_argument_group("of a PACS")
    of_pacs.add_argument("--ca", type=Path, help="PEM file of the certificate that signed the PACS' own")
    of_pacs.add_argument("--patience", type=float, default=120, help="seconds to keep trying if it does not answer")
    add_choice(of_pacs)  # type: ignore[arg-type]
    return parser


def run(args: argparse.Namespace) -> int:
    """Go through an archive, from this machine or within a cluster; returns the exit status."""
    _check(args)
    args.output = args.output.absolute()
    args.options = {name: _value(name, text) for name, text in args.bundle_options.items()}
    if is_address(args.input):
        check_choice(args)
    else:
        _check_no_pacs(args)
        args.input = absolute(Path(args.input))
    from cxr_tools.archive import engine, walk  # which take seconds

    work = partial(walk.go_through, args)
    # Behind ray:// the cluster is elsewhere: images and results are seen there, and perhaps not here.
    return engine.elsewhere(args.address, work) if str(args.address).startswith("ray://") else work()


def _check(args: argparse.Namespace) -> None:
    if not args.input.strip():  # a variable of the shell that is not set; it would be the folder one is in
        raise InputError("is empty", "--input", "give a folder, a list, or the address of a PACS")
    for name in ("rows", "networks", "network_cores"):
        if (value := getattr(args, name)) is not None and value < 1:
            raise InputError(f"is {value}", f"--{name.replace('_', '-')}", "give 1 or more")
    if args.files_of not in ("positives", "all") and not re.fullmatch(r"0?\.\d+|1(\.0*)?", args.files_of):
        raise InputError(f"is {args.files_of!r}", "--files-of", "give positives, all, or a share such as 0.01")
    for name in args.bundle_options:
        if name.split("#")[0] in _NOT_HERE:
            raise InputError("has no meaning here", f"--{name}", "leave it out; cxr archive run --help lists options")


def _check_no_pacs(args: argparse.Namespace) -> None:
    """Of a folder all images are taken: who gives a date must not believe otherwise."""
    for name, value in _OF_PACS.items():
        if getattr(args, name) != value:
            raise InputError(
                "is for a PACS, and --input is none", f"--{name.replace('_', '-')}", "leave it out, or give a list"
            )


def _value(name: str, text: str) -> Any:
    """The value of a bundle's option, as JSON has it; a path holds on other machines and in other folders too."""
    value = json.loads(json.dumps(parse_yaml(text, f"--{name}", "give a value in YAML"), default=str))
    return str(Path(value).absolute()) if isinstance(value, str) and Path(value).exists() else value
