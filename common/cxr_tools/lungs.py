"""Outline lungs with the segmenter bundle's lung model, and add to each image of a datalist the box of its chest.

cxr lungs --datalist data/datalist.json --output data/datalist_chests.json

The key "chest" tells a training where findings can be at all: see place_weight of the localisers' from_imagenet.yaml.
Sections that are not named are left out of the new datalist, by default those that nothing learns from.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from monai.data import Dataset

from cxr_common.axes import tensor_to_picture
from cxr_common.cli import one_line_errors
from cxr_common.data import load_datalist, load_labels, write_datalist
from cxr_common.data.chest import chest_box
from cxr_common.data.datalist import relative_item
from cxr_common.data.datalist_io import read_datalist
from cxr_common.data.datalist_schema import SECTIONS, SPLITS
from cxr_common.evaluation import predict
from cxr_common.loading import find_bundle
from cxr_common.start.tool_parser import ToolParser
from cxr_common.training import Bfloat16Inferer, cpu_has_bfloat16
from cxr_common.transforms.find_chest import read_lung_model

SEGMENTER = "cxr_chexseg_segmentation"
#: Of the lung model, below the segmenter bundle.
LUNG_WEIGHTS = "models/lungs/model.pt"
Item = dict[str, Any]


def outline_lungs(
    items: list[Item], bundle: Path | str = SEGMENTER, weights: str = LUNG_WEIGHTS
) -> list[tuple[np.ndarray, tuple[int, int]]]:
    """Lungs of radiographs by the segmenter bundle's lung model.

    Args:
        items: datalist items with absolute paths.
        bundle: the segmenter, by name, folder or zip.
        weights: of the lung model, below the bundle; its thresholds lie beside them.

    Returns:
        Per item its lungs, a bool picture [row, column] at the network's input size, and the image's width and height.
    """
    if not items:
        return []
    parser, network, thresholds = read_lung_model(find_bundle(bundle) / weights)
    dataset = Dataset([{"image": item["image"]} for item in items], parser.get_parsed_content("preprocessing"))
    inferer = Bfloat16Inferer(cpu_has_bfloat16())
    predictions = predict(network, dataset, list(thresholds.labels), inferer=inferer)
    least = thresholds.mask[thresholds.labels[0]]
    masks = [tensor_to_picture(maps[0]).numpy() >= least for maps in predictions.each_heatmap()]
    return [(mask, (int(x), int(y))) for mask, (x, y) in zip(masks, predictions.sizes, strict=True)]


def add_chests(datalist: Path, root: Path, output: Path, sections: Sequence[str]) -> dict[str, int]:
    """Write a datalist with a key "chest" in each item whose lungs are found.

    Args:
        datalist: the file to start from.
        root: folder that its paths are relative to.
        output: the datalist to write; its paths are relative to its own folder.
        sections: which; the others are left out.

    Returns:
        Section -> items that got a chest.
    """
    data: Item = {"labels": load_labels(datalist)}
    found = {}
    for section in sections:
        items = load_datalist(datalist, section, root)
        data[section] = []
        for item, (lungs, size) in zip(items, outline_lungs(items), strict=True):
            kept = relative_item(item, output.parent, without=["chest"])  # another model's, if there was one
            chest = chest_box(lungs, size)
            data[section].append(kept if chest is None else {**kept, "chest": chest})
        found[section] = sum("chest" in item for item in data[section])
    write_datalist(data, output)
    return found


@one_line_errors
def main(argv: list[str] | None = None) -> int:
    """Add chests to a datalist; returns the exit status."""
    parser = ToolParser(prog="cxr lungs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--datalist", type=Path, required=True, help="the datalist to start from")
    parser.add_argument(
        "--root", type=Path, help="folder that its paths are relative to (default: the datalist's folder)"
    )
    parser.add_argument("--output", type=Path, required=True, help="the datalist to write")
    parser.add_argument(
        "--sections",
        nargs="+",
        choices=SPLITS,
        default=["training", "validation"],
        help="sections of the new datalist (default: training validation)",
    )
    args = parser.parse_args(argv)
    found = add_chests(args.datalist, args.root or args.datalist.parent, args.output, args.sections)
    said = [f"{section}: {count} chests" for section, count in found.items()]
    given = read_datalist(args.datalist)
    left_out = [section for section in SECTIONS if given.get(section) and section not in found]
    print("; ".join(said + [f"left out: {', '.join(left_out)}"] * bool(left_out)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
