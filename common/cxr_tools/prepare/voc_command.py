"""``cxr prepare voc``: a datalist from a data set in the format of PASCAL VOC."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_io import declare_outside, raise_problems, write_datalist
from cxr_common.data.datalist_schema import MASK_ORIGINS, SECTIONS, SPLITS
from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.errors import InputError
from cxr_tools.prepare.splits import draw_sections, parse_fractions
from cxr_tools.prepare.summary import summarize
from cxr_tools.prepare.voc import datalist_from_voc
from cxr_tools.prepare.voc_files import find_images, read_list

LISTS = ("training=train", "validation=val")
NOTES_SHOWN = 5
#: Folder beside the datalist.
MASKS = "masks"
EXAMPLES = """The root holds JPEGImages; Annotations (XML), SegmentationClass or SegmentationClassAug (palette PNG), or
both; and ImageSets/Segmentation, where there are lists. Image-level labels are those of the XML, else of the label map.
An item's label_map names the palette PNG, which alone knows void pixels; its masks are written beside the datalist.

examples:
  VOC 2012, train and val:
    cxr prepare voc --root VOCdevkit/VOC2012 --output voc/datalist.json
  the augmented training list:
    cxr prepare voc --root VOCdevkit/VOC2012 --label-maps SegmentationClassAug \\
        --list training=trainaug --list validation=val --output voc/datalist.json
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "voc",
        help="make a datalist from a data set in PASCAL VOC's format",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--root", type=Path, required=True, help="folder that holds JPEGImages")
    parser.add_argument(
        "--label-maps",
        metavar="FOLDER",
        help="of the root, or an absolute path; default SegmentationClass, else SegmentationClassAug",
    )
    parser.add_argument(
        "--mask-origin", choices=MASK_ORIGINS, default="expert", help="whether experts drew the label maps"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--list",
        action="append",
        metavar="SECTION=NAME",
        help=f"of ImageSets/Segmentation; repeatable; default, where there are lists, {' '.join(LISTS)}",
    )
    how.add_argument("--section", choices=SECTIONS, help="section for all images, without lists")
    how.add_argument(
        "--fractions", help="shares of validation and testing in a random split of all images; without lists 0.15,0.15"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of that random split")
    parser.add_argument("--output", type=Path, required=True, help="datalist to write; its folder is the data set root")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write datalist and masks and print what they hold."""
    from cxr_tools.prepare.output_files import masks_undone  # only what a run needs

    images = find_images(args.root, args.label_maps)
    sections = _sections(args, list(images))
    with masks_undone(args.output.parent / MASKS):
        data, notes = datalist_from_voc(images, sections, args.output.parent, MASKS, args.mask_origin)
        data = declare_outside(data)
        raise_problems(args.output, validate_datalist(data, args.output.parent))
        write_datalist(data, args.output)
    print(summarize(data))
    if notes:
        more = f"\n  and {len(notes) - NOTES_SHOWN} more" if len(notes) > NOTES_SHOWN else ""
        shown = "\n  ".join(notes[:NOTES_SHOWN])
        print(f"label maps show what the XML does not name; the XML's labels are kept:\n  {shown}{more}")
    print(f"wrote {args.output}; its folder is the data set root")


def _sections(args: argparse.Namespace, names: list[str]) -> dict[str, list[str]]:
    there = (args.root / "ImageSets" / "Segmentation").is_dir()
    lists = args.list or (LISTS if there and not args.section and not args.fractions else ())
    if lists:
        sections: dict[str, list[str]] = {}
        for text in lists:
            section, _, name = text.partition("=")
            if section not in SECTIONS or not name:
                action = f"write such as training=train; sections are {', '.join(SECTIONS)}"
                raise InputError(f"{text!r} is not of the form SECTION=NAME", "--list", action)
            sections.setdefault(section, []).extend(read_list(args.root, name))
        return sections
    if not names:
        raise InputError("holds no image", args.root / "JPEGImages")
    if args.section:
        return {args.section: names}
    drawn = draw_sections(names, parse_fractions(args.fractions or "0.15,0.15"), args.seed)
    return {section: [n for n, d in zip(names, drawn, strict=True) if d == section] for section in SPLITS}
