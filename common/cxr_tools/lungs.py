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
from monai.bundle import ConfigParser
from monai.data import Dataset

from cxr_common.axes import tensor_to_picture
from cxr_common.cli import one_line_errors
from cxr_common.data import load_datalist, load_labels, write_datalist
from cxr_common.data.datalist import relative_item
from cxr_common.data.datalist_io import read_datalist
from cxr_common.data.datalist_schema import SECTIONS, SPLITS
from cxr_common.evaluation import predict
from cxr_common.findings import load_map_thresholds
from cxr_common.loading import find_bundle
from cxr_common.networks import load_weights
from cxr_common.start.tool_parser import ToolParser
from cxr_common.training import Bfloat16Inferer, cpu_has_bfloat16

SEGMENTER = "cxr_chexseg_segmentation"
#: Part of a picture that both lungs cover together; outside of it the lung model has failed.
LUNG_AREA = (0.12, 0.6)
#: What a chest has beyond the lungs, in parts of the picture's side: a little at the sides and above, more below, where
#: effusions blunt the lungs' outline.
MARGIN_SIDE, MARGIN_ABOVE, MARGIN_BELOW = 0.05, 0.03, 0.08
Item = dict[str, Any]


def outline_lungs(
    items: list[Item], bundle: Path | str = SEGMENTER, folder: str = "models/lungs"
) -> list[tuple[np.ndarray, tuple[int, int]]]:
    """Lungs of radiographs by the segmenter bundle's lung model.

    Args:
        items: datalist items with absolute paths.
        bundle: the segmenter, by name, folder or zip.
        folder: of the lung model's weights and thresholds, below the bundle.

    Returns:
        Per item its lungs, a bool picture [row, column] at the network's input size, and the image's width and height.
    """
    if not items:
        return []
    root = find_bundle(bundle)
    weights = root / folder / "model.pt"
    thresholds = load_map_thresholds(weights.with_name("thresholds.json"), None, weights)
    parser = ConfigParser()
    parser.read_config([root / "configs" / "inference.json"])
    parser.update({"bundle_root": str(root), "weights": str(weights), "network_def#num_classes": 1})
    network = parser.get_parsed_content("network_def")
    load_weights(network, weights)
    dataset = Dataset([{"image": item["image"]} for item in items], parser.get_parsed_content("preprocessing"))
    inferer = Bfloat16Inferer(cpu_has_bfloat16())
    predictions = predict(network, dataset, list(thresholds.labels), inferer=inferer)
    least = thresholds.mask[thresholds.labels[0]]
    masks = [tensor_to_picture(maps[0]).numpy() >= least for maps in predictions.each_heatmap()]
    return [(mask, (int(x), int(y))) for mask, (x, y) in zip(masks, predictions.sizes, strict=True)]


def is_plausible(lungs: np.ndarray) -> bool:
    """Whether the area of a mask is plausible for both lungs on a frontal radiograph."""
    return bool(LUNG_AREA[0] <= lungs.mean() <= LUNG_AREA[1])


def chest_box(lungs: np.ndarray, size: tuple[int, int]) -> list[float] | None:
    """The box around lungs and heart.

    Args:
        lungs: bool picture [row, column], of any size.
        size: width and height of the image.

    Returns:
        x0, y0, x1, y1 in the image's pixels; None where the lungs are not plausible.
    """
    if not is_plausible(lungs):
        return None
    rows, columns = np.nonzero(lungs)
    height, width = lungs.shape
    # A hundredth of the pixels at either end may be crumbs elsewhere.
    (x0, x1), (y0, y1) = np.percentile(columns, (1, 99)) / width, np.percentile(rows, (1, 99)) / height
    edges = (x0 - MARGIN_SIDE, y0 - MARGIN_ABOVE, x1 + MARGIN_SIDE, y1 + MARGIN_BELOW)
    return [round(float(np.clip(edge, 0, 1)) * size[axis % 2], 2) for axis, edge in enumerate(edges)]


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
            chest = chest_box(lungs, size)
            with_chest = item if chest is None else {**item, "chest": chest}
            data[section].append(relative_item(with_chest, output.parent))
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
