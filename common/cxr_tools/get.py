"""`cxr get`: a bundle from an address into the user's cache."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from cxr_common.cli import one_line_errors
from cxr_common.errors import InputError
from cxr_common.files import file_sha256
from cxr_common.json_files import read_json
from cxr_common.loading.download import PATIENCE
from cxr_common.loading.locate import find_bundle, get_bundle
from cxr_common.start.nearest import nearest
from cxr_common.start.tool_parser import ToolParser

EXAMPLES = """examples:
  cxr get https://my.host/bundles/cxr_pylon_localization_v0.5.0.zip --sha256 HASH
  cxr get cxr_pylon_localization --index https://my.host/bundles/model_info.json
  cxr get cxr_pylon_localization_v0.5.0 --index dist/model_info.json

Then cxr find --bundle cxr_pylon_localization finds it. HASH is in SHA256SUMS, which make pack writes beside the zips;
the index, model_info.json, has it too.
"""
_LARGEST_INDEX = 16 << 20


def make_parser() -> ToolParser:
    """The parser of its options."""
    parser = ToolParser(
        prog="cxr get",
        description="Fetch the zip of a bundle into the cache, and refuse it if its hash is another.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "bundle", metavar="URL|NAME", help="address of a zip, or a name in the index, with or without version"
    )
    parser.add_argument("--sha256", default="", metavar="HASH", help="SHA-256 that the zip at URL must have")
    parser.add_argument("--index", metavar="FILE|URL", help="model_info.json that lists NAME")
    return parser


@one_line_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Fetch a bundle and print its folder; returns the exit status."""
    args = make_parser().parse_args(sys.argv[1:] if argv is None else argv)
    if "://" in args.bundle:
        address, _, hash = args.bundle.partition("#sha256=")
        print(get_bundle(address, args.sha256 or hash))
        return 0
    if args.bundle.endswith(".zip") and Path(args.bundle).is_file():
        raise InputError("lies on this machine already", args.bundle, f"use it as it is: --bundle {args.bundle}")
    if args.index is None:
        raise InputError("is a name, and no index is given", args.bundle, "give --index, or the address of its zip")
    source, sha256 = find_entry(_read_index(args.index), args.bundle, args.index)
    if "://" in source:
        print(get_bundle(source, sha256))
    elif (found := file_sha256(source)) == sha256:
        print(find_bundle(source))
    else:
        raise InputError(f"has another SHA-256, {found}", source, "make it again, or fetch it again")
    return 0


def find_entry(index: Any, name: str, where: str) -> tuple[str, str]:
    """Address and SHA-256 of a bundle in an index.

    Args:
        index: NAME_vVERSION -> ``source`` and ``sha256``; a source without a host lies beside the index.
        name: with a version, or without for the newest.
        where: file or address of the index.

    Raises:
        InputError: it is not there, or has no hash.
    """
    entries = index if isinstance(index, dict) else {}
    versions = [key for key in entries if key == name or key.rpartition("_v")[0] == name]
    if not versions:
        guess = nearest(name, {key.rpartition("_v")[0] for key in entries} | {*entries})
        raise InputError(
            "there is no such bundle", f"{where}: {name}", f"did you mean {guess}?" if guess else "see there"
        )
    key = max(versions, key=_order)
    entry = entries[key] if isinstance(entries[key], dict) else {}
    if not isinstance(entry.get("source"), str) or not isinstance(entry.get("sha256"), str):
        raise InputError("has no source or no sha256", f"{where}: {key}", "take an index that make pack wrote")
    source = entry["source"]
    if "://" not in where + source:
        return str(Path(where).parent / source), entry["sha256"]
    return urljoin(where, source), entry["sha256"]


def _order(key: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdigit() else (-1, part)
        for part in key.rpartition("_v")[2].replace("-", ".-").split(".")
    ]


def _read_index(place: str) -> Any:
    if "://" not in place:
        return read_json(Path(place), "name a model_info.json")
    try:
        with urllib.request.urlopen(place, timeout=PATIENCE) as answer:
            content = answer.read(_LARGEST_INDEX)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise InputError(f"cannot be fetched ({error})", place, "check address and network") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise InputError(f"is not JSON ({error})", place, "give the address of a model_info.json") from error


if __name__ == "__main__":
    sys.exit(main())
