"""``cxr prepare csv``: a datalist from plain tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_io import declare_outside, raise_problems, write_datalist
from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.errors import InputError
from cxr_tools.prepare.from_tables import datalist_from_tables
from cxr_tools.prepare.mapping import parse_mapping, read_mapping
from cxr_tools.prepare.splits import parse_fractions
from cxr_tools.prepare.summary import summarize
from cxr_tools.yaml_files import parse_yaml

EXAMPLES = """examples:
  a data set with a mapping file:
    cxr prepare csv --mapping shared_cxr_nih --root ../shared/cxr --output nih.json
  CheXpert, NIH ChestX-ray14 and VinDr-CXR as they come:
    cxr prepare csv --mapping chexpert --root CheXpert --output CheXpert/datalist.json
  any table, by options:
    cxr prepare csv --root cases --images cases.csv --map image=file --map patient=id \\
        --labels Nodule,Mass --boxes boxes.csv --set "boxes.xywh=[x,y,w,h]" --output cases/datalist.json
"""

NO_PATIENT = """warning: no patient is given, so images of one patient may lie in several sections; give
  --map patient=COLUMN, or a part of a column: --set "images.patient={column: Path, extract: 'patient\\d+'}\""""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "csv",
        help="make a datalist from plain tables",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mapping", help="YAML file, or the name of a shipped one; the options below override it")
    parser.add_argument("--root", type=Path, help="data set root: tables and image paths are relative to it")
    parser.add_argument("--images", help="table with one row per image")
    parser.add_argument("--map", action="append", default=[], metavar="KEY=COLUMN", help="image, id, patient ...")
    parser.add_argument("--labels", help="LABEL or LABEL=COLUMN or LABEL=COLUMN|COLUMN (any of them), comma separated")
    parser.add_argument("--missing", action="append", default=[], help="cell that means not annotated; repeatable")
    parser.add_argument(
        "--where", action="append", default=[], metavar="COLUMN=VALUE", help="only rows with this value; repeatable"
    )
    parser.add_argument("--boxes", help="table with one row per box")
    parser.add_argument("--masks", help="table with one row per mask")
    parser.add_argument("--set", action="append", default=[], metavar="A.B=VALUE", help="any key of a mapping, as YAML")
    parser.add_argument(
        "--fractions", default="0.15,0.15", help="shares of validation and testing, if there is no split column"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of that random split")
    parser.add_argument("--no-check-files", action="store_true", help="do not check whether the files exist")
    parser.add_argument("--output", type=Path, required=True, help="datalist to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the datalist and print what it holds."""
    from cxr_tools.prepare.join_masks import join_masks  # only what a run needs
    from cxr_tools.prepare.output_files import masks_undone

    plain = read_mapping(args.mapping) if args.mapping else {}
    _override(plain, args)
    mapping = parse_mapping(plain, where=args.mapping or "options")
    root = args.root or Path()
    data = datalist_from_tables(mapping, root, parse_fractions(args.fractions), args.seed)
    folder = args.output.with_name(f"{args.output.stem}_masks")
    with masks_undone(folder):
        joined = join_masks(data, root, folder)
        data = declare_outside(data)
        if not args.no_check_files:
            raise_problems(args.output, validate_datalist(data, root))
        write_datalist(data, args.output)
    print(summarize(data))
    if mapping.images.split is None and mapping.images.patient is None and mapping.images.group is None:
        print(NO_PATIENT, file=sys.stderr)
    if joined:
        print(f"joined the masks of a class in an image {joined} times, in {args.output.stem}_masks")
    print(f"wrote {args.output}; its paths are relative to {root}")


def _override(plain: dict[str, Any], args: argparse.Namespace) -> None:
    for key in ("images", "boxes", "masks"):
        if getattr(args, key) is not None:
            _put(plain, [key, "table"], getattr(args, key))
    for key, column in _pairs("--map", args.map):
        _put(plain, ["images", key], column)
    if args.labels:
        rules = [_label_rule(part.strip()) for part in args.labels.split(",")]
        names = [name for name, _ in rules]
        if wrong := [name for name in names if not name or names.count(name) > 1]:
            reason = f"names {wrong[0]!r} twice" if wrong[0] else "has a label without a name"
            raise InputError(reason, f"--labels {args.labels}", "give each label once")
        plain["labels"] = dict(rules)
    for cell in args.missing:
        _put(plain, ["values", cell], None)
    where: dict[str, list[str]] = {}
    for column, value in _pairs("--where", args.where):
        where.setdefault(column, []).append(value)
    for column, values in where.items():
        _put(plain, ["images", "where", column], values)
    for key, value in _pairs("--set", args.set):
        _put(plain, key.split("."), _yaml(key, value))


def _yaml(key: str, text: str) -> Any:
    action = "put patterns into single quotes, such as {column: Path, extract: 'patient\\d+'}"
    return parse_yaml(text, f"--set {key}={text}", action)


def _pairs(option: str, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise InputError(f"{text!r} is not of the form KEY=VALUE", option, "such as --map image=COLUMN")
        yield key, value


def _label_rule(text: str) -> tuple[str, Any]:
    name, _, column = text.partition("=")
    columns = (column or name).split("|")
    return name, columns[0] if len(columns) == 1 else {"any": columns}


def _put(plain: dict[str, Any], keys: Iterable[str], value: Any) -> None:
    *path, last = keys
    for key in path:
        if isinstance(plain.get(key), str):
            plain[key] = {"table": plain[key]}
        elif not isinstance(plain.get(key), dict):
            plain[key] = {}
        plain = plain[key]
    plain[last] = value
