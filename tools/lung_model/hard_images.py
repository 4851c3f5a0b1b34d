"""Images on which models of the lungs fail, and what a model outlines there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data import load_datalist, read_picture
from cxr_common.evaluation import NetworkMaps
from cxr_common.files import replacing
from cxr_common.findings import Thresholds
from tools.results.data import SECTIONS, Items, prepare


def hard_images(shared: Path, opacified: Items, upright: Items, work: Path) -> Items:
    """Ten images that lung models fail on: four of children, three opacified, three turned by 25 degrees."""
    children = ("--where", "dataset=kermany_paed", "--set", "masks=null")
    listed = prepare("shared_cxr_lungs", shared, work / "children.json", *children)
    rows = [item for section in SECTIONS for item in load_datalist(listed, section, shared)]
    found = [rows[place] for place in np.random.default_rng(0).permutation(len(rows))[:4]] + opacified[:3]
    (work / "turned").mkdir(exist_ok=True)
    for item, angle in zip(upright[:3], (25, -25, 25), strict=False):
        path = work / "turned" / f"{Path(item['image']).stem}.png"
        with Image.open(item["image"]) as image:
            image.convert("L").rotate(angle).save(path)
        found.append({"image": str(path)})
    return [{"image": item["image"]} for item in found]


def draw_outlines(predictions: NetworkMaps, thresholds: Thresholds, path: Path) -> None:
    """Draw what a network outlines on images: the first class in blue, the second in orange."""
    items = predictions.items
    figure = Figure(figsize=(15, 6.4), layout="constrained")
    panels = figure.subplots(2, (len(items) + 1) // 2).ravel()
    for item, maps, axes in zip(items, predictions.each_heatmap(), panels, strict=False):
        picture = tensor_to_picture(np.squeeze(np.asarray(read_picture(item["image"]))))
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
        height, width = picture.shape
        for name, heat, colour in zip(predictions.labels, maps, ("#33bbee", "#ee7733"), strict=True):
            rows, columns = tensor_to_picture(heat).shape
            axes.contour(
                (np.arange(columns) + 0.5) * width / columns,
                (np.arange(rows) + 0.5) * height / rows,
                tensor_to_picture(heat),
                levels=[thresholds.mask[name]],
                colors=[colour],
            )
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=80)
