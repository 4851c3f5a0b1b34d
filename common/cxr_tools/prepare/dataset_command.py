"""``cxr prepare NAME``: a datalist from a public data set as it was unpacked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from cxr_common.data.datalist_io import write_datalist
from cxr_common.data.datalist_schema import SECTIONS
from cxr_common.errors import InputError
from cxr_common.files import write_text
from cxr_tools.prepare.assemble import FRONTAL, MISSING, Assembled, Choices, assemble
from cxr_tools.prepare.datasets import DATASETS
from cxr_tools.prepare.datasets.base import Dataset
from cxr_tools.prepare.shared_labels import choose_labels
from cxr_tools.prepare.splits import parse_fractions
from cxr_tools.prepare.summary import summarize

if TYPE_CHECKING:
    from cxr_tools.prepare.mask_folder import MaskFolder

#: Images without a file that are named in the summary; all are in the list beside the datalist.
_SHOWN = 3


def add_parsers(subparsers: Any) -> None:
    """Register a command for each data set."""
    for dataset in DATASETS:
        parser = subparsers.add_parser(
            dataset.NAME,
            aliases=[name for alias in (dataset.NAME, *dataset.ALIASES) for name in _spellings(alias, dataset.NAME)],
            help=dataset.TITLE,
            description=dataset.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        _add_options(parser)
        dataset.add_options(parser)
        parser.set_defaults(run=lambda args, dataset=dataset: run(args, dataset))


def _spellings(alias: str, name: str) -> list[str]:
    """A name with hyphens and with underscores, without the command's own."""
    return [text for text in dict.fromkeys((alias, alias.replace("_", "-"))) if text != name]


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, required=True, help="folder of the data set; paths are relative to it")
    parser.add_argument(
        "--output", type=Path, required=True, help="datalist to write; masks go into a folder beside it"
    )
    parser.add_argument(
        "--labels", help="names of the data set's labels, by commas; or 'shared': the list of all shipped weights"
    )
    parser.add_argument(
        "--views", default="frontal", help="frontal (default: PA and AP), all, or names such as PA; by commas"
    )
    parser.add_argument(
        "--missing",
        choices=MISSING,
        default="error",
        help="images without a file: an error (default); kept; or left out; the last two list them beside OUTPUT",
    )
    parser.add_argument("--no-check-files", action="store_true", help="do not check whether the image files exist")
    parser.add_argument(
        "--split",
        action="append",
        default=[],
        metavar="NAME=SECTION",
        help=f"section of one of the data set's own splits: {', '.join(SECTIONS)}, or none; repeatable",
    )
    parser.add_argument(
        "--fractions",
        default="0.1,0.1",
        help="shares of validation and testing, drawn from the training patients if the data set has no such split",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of that random split")
    parser.add_argument(
        "--masks-in", metavar="SECTIONS", help="sections that keep their masks, by commas, such as validation,testing"
    )
    parser.add_argument("--limit", type=int, help="largest number of images, for a first look")


def run(args: argparse.Namespace, dataset: Dataset) -> None:
    """Write datalist, masks and the list of missing files, all or none, and print what they hold."""
    from cxr_tools.prepare.mask_folder import MaskFolder  # only what a run needs
    from cxr_tools.prepare.output_files import check_datalist_output, written

    output: Path = args.output
    folder, missing = f"{output.stem}_masks", f"{output.stem}.missing.txt"
    check_datalist_output(output, output.parent / folder)
    reading = dataset.read(args.root, args)
    choices = _choices(args, set(reading.splits))
    labels = choose_labels(reading, args.labels)
    with written(output.parent, obsolete=(folder, missing), folders=(folder,)) as new:
        masks = MaskFolder(new / folder, output.parent / folder, args.root)
        total = reading.total if args.limit is None else min(args.limit, reading.total or args.limit)
        with tqdm(reading.records, desc=dataset.NAME, total=total, unit=" images", disable=None) as records:
            made = assemble(reading, records, args.root, labels, choices, masks)
        _write(made.data, new / output.name, output)
        if made.missing:
            lines = "".join(f"{path}\t{place}\n" for path, place in made.missing)
            write_text(f"image file that is missing\twhere it is named\n{lines}", new / missing)
    print(summarize(made.data))
    print(_in_all(made.data))
    _print_rest(made, masks, args, missing)
    print(f"wrote {output}; its paths are relative to {args.root}")


def _write(data: dict[str, Any], path: Path, output: Path) -> None:
    try:
        write_datalist(data, path)
    except InputError as error:  # people know the file by the name it gets
        raise InputError(error.reason.replace(str(path), str(output)), output, error.action) from None


def _in_all(data: dict[str, Any]) -> str:
    items = [item for section in SECTIONS for item in data.get(section, [])]
    patients = {str(item["patient"]) for item in items if "patient" in item}
    boxes = sum(len(item.get("boxes", [])) for item in items)
    return f"in all: {len(items)} images, {len(patients)} patients, {boxes} boxes"


def _print_rest(made: Assembled, masks: MaskFolder, args: argparse.Namespace, missing: str) -> None:
    if masks.written:
        resized = f", {masks.resized} of them resized to their image" if masks.resized else ""
        print(f"masks: {masks.written} files{resized}")
    if masks.vanished:
        print(f"masks: {masks.vanished} are too small for a pixel of their image, and count as empty")
    for note in made.notes:
        print(note)
    if args.no_check_files:
        print("files: not looked for (--no-check-files)")
        return
    names = ", ".join(path for path, _ in made.missing[:_SHOWN]) + (" ..." if len(made.missing) > _SHOWN else "")
    what = "kept in the datalist" if args.missing == "keep" else "left out"
    print(f"missing files: {len(made.missing)}" + (f", {what}, listed in {missing}: {names}" if made.missing else ""))


def _choices(args: argparse.Namespace, known: set[str]) -> Choices:
    if args.limit is not None and args.limit < 1:
        raise InputError(f"is {args.limit}", "--limit", "give a whole number from 1 on")
    splits: dict[str, str | None] = {}
    for text in args.split:
        name, _, section = text.partition("=")
        if name not in known or section not in (*SECTIONS, "none"):
            names = f"its splits are {', '.join(sorted(known))}" if known else "this data set has no splits of its own"
            raise InputError(
                f"{text!r} is not NAME=SECTION", "--split", f"{names}; sections are {', '.join(SECTIONS)}, none"
            )
        splits[name] = None if section == "none" else section
    views = {"frontal": FRONTAL, "all": None}.get(args.views, tuple(name.strip() for name in args.views.split(",")))
    missing = None if args.no_check_files else args.missing
    masks_in = None if args.masks_in is None else tuple(name.strip() for name in args.masks_in.split(","))
    if unknown := set(masks_in or ()) - set(SECTIONS):
        raise InputError(f"{unknown.pop()!r} is not a section", "--masks-in", f"sections are {', '.join(SECTIONS)}")
    return Choices(missing, views, splits, parse_fractions(args.fractions), args.seed, args.limit, masks_in)
