"""``cxr prepare export``: a datalist as COCO json or as a YOLO data set.

coco writes one json file per section into the output folder, which `cxr prepare coco` reads again. yolo writes images
(as links), labels and data.yaml into a new or empty folder. It leaves out images without boxes: they are not annotated,
and YOLO would take them for free of findings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_io import read_datalist
from cxr_common.data.datalist_schema import SECTIONS
from cxr_common.errors import InputError
from cxr_common.files import write_json


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "export",
        help="a datalist as COCO json or YOLO txt",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("datalist", type=Path)
    parser.add_argument("--format", choices=("coco", "yolo"), required=True)
    parser.add_argument("--root", type=Path, help="data set root (default: the datalist's folder)")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Write the files, all or none."""
    from cxr_tools.new_folder import new_folder  # only what a run needs
    from cxr_tools.prepare.coco_export import to_coco
    from cxr_tools.prepare.output_files import written
    from cxr_tools.prepare.yolo_export import write_yolo

    data = read_datalist(args.datalist)
    root = args.root or args.datalist.parent
    sections = [section for section in SECTIONS if data.get(section)]
    if not sections:
        raise InputError("holds no image", args.datalist)
    if args.format == "coco":
        with written(args.output) as new:
            for section in sections:
                write_json(to_coco(data["labels"], data[section], root), new / f"{section}.json")
        print(f"wrote {', '.join(f'{section}.json' for section in sections)} to {args.output}")
        return
    items = ((section, item) for section in sections for item in data[section])
    with new_folder(args.output) as new:  # the folder of the data set may have folders of these names
        count, unknown = write_yolo(data["labels"], items, root, new, args.output)
    print(f"wrote {count} images to {args.output}")
    if unknown:
        print(f"left out: {unknown} images without boxes: they are not annotated, which YOLO cannot say")
