"""A picture of heatmaps: classes down, methods across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from cxr_common.axes import tensor_to_picture
from cxr_common.data import read_picture
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.labels import LABELS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def gallery_rows(items: Sequence[Mapping[str, Any]], labels: Sequence[str] = LABELS) -> list[tuple[int, int]]:
    """(class, image) of the first test image of every class with a box; a class that doubles another is left out."""
    rows = []
    for c, label in enumerate(labels):
        boxed = [i for i, item in enumerate(items) if c in (item.get("box_labels") or [])]
        if boxed and label != "Opacity":
            rows.append((c, boxed[0]))
    return rows


def gallery_figure(
    items: Sequence[Mapping[str, Any]], heatmaps: Mapping[str, np.ndarray], labels: Sequence[str] = LABELS
) -> Figure:
    """Heatmaps of methods (columns) on the first image of every class with a box (rows).

    Args:
        items: datalist items with absolute paths.
        heatmaps: what a method is called -> (R, x, y) logit maps of :func:`gallery_rows`.
        labels: class names of the items.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    rows = gallery_rows(items, labels)
    figure = Figure(figsize=(1.25 * (len(heatmaps) + 1), 1.3 * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), len(heatmaps) + 1, squeeze=False)
    for row, ((c, image), axes) in enumerate(zip(rows, grid, strict=True)):
        item = items[image]
        picture = tensor_to_picture(np.squeeze(np.asarray(read_picture(item["image"]))))
        axes[0].set_ylabel(labels[c], fontsize=8)
        for axis in axes:
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        for axis, maps in zip(axes[1:], heatmaps.values(), strict=True):
            logits = torch.from_numpy(maps[row][None, None]).float()
            _heat(axis, upsample_heatmaps(logits, picture.shape[::-1])[0, 0].numpy(), picture.shape)
        for axis in axes:
            for (x0, y0, x1, y1), k in zip(item["boxes"], item["box_labels"], strict=True):
                if k == c:
                    box = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="white", linewidth=0.8)
                    axis.add_patch(box)
    for axis, text in zip(grid[0], ["image, true box", *heatmaps], strict=True):
        axis.set_title(text.replace(", ", ",\n"), fontsize=7)
    return figure


def _heat(axis: Axes, heatmap: np.ndarray, shape: tuple[int, ...]) -> None:
    """A heatmap stretched to its own range, as these pictures show where and not how much; a cross at its peak."""
    low, high = heatmap.min(), heatmap.max()
    if high - low < 1e-6:  # a map without any saliency; its peak is rounding
        return
    scaled = tensor_to_picture((heatmap - low) / (high - low))
    height, width = shape
    axis.imshow(scaled, cmap="inferno", alpha=0.65 * scaled, extent=(0, width, height, 0), vmin=0, vmax=1)
    row, column = np.unravel_index(scaled.argmax(), scaled.shape)
    x, y = (column + 0.5) * width / scaled.shape[1], (row + 0.5) * height / scaled.shape[0]
    axis.plot(x, y, "+", color="cyan", markersize=7)
    axis.set(xlim=(0, width), ylim=(height, 0))
