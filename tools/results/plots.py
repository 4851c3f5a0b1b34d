"""Plots of the localisation experiment: bars with intervals, a gallery of heatmaps, layer relevance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.data import read_picture
from cxr_common.files import replacing
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.labels import LABELS
from cxr_common.localization import relevance_figure
from tools.results.outcomes import gallery_rows

Record = dict[str, Any]


def titles(record: Record) -> dict[str, str]:
    """Method -> what it is called in tables and plots, in the order of the experiment file; scored methods only."""
    return {
        name: method["title"]
        for name, method in record["recipe"]["methods"].items()
        if name in record["phantoms"]["methods"]
    }


def bars(record: Record) -> Figure:
    """Point accuracy and AUROC of every method on the phantom test set, with 95% intervals."""
    names = titles(record)
    figure = Figure(figsize=(9, 1.2 + 0.34 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    entries = [record["phantoms"]["methods"][name] for name in names]
    columns = (("point accuracy (micro)", "point", "micro"), ("AUROC (macro)", "auroc", "macro"))
    for axes, (text, figure_name, average) in zip(panels, columns, strict=True):
        intervals = [entry[figure_name][average] for entry in entries]
        value = np.array([i["value"] for i in intervals])
        # A percentile interval can end short of the value it belongs to.
        below = np.maximum(value - [i["low"] for i in intervals], 0)
        above = np.maximum([i["high"] for i in intervals] - value, 0)
        axes.barh(range(len(names)), value, color="#4477aa")
        axes.errorbar(value, range(len(names)), xerr=(below, above), fmt="none", ecolor="black", capsize=3)
        axes.set_xlim(0.5 if figure_name == "auroc" else 0, 1)
        axes.set_xlabel(f"{text}, synthetic phantoms")
    panels[0].set_yticks(
        range(len(names)), [f"{t} ({e['seeds']})" for t, e in zip(names.values(), entries, strict=True)]
    )
    panels[0].invert_yaxis()
    mark = "QUICK RUN, says nothing about the methods. " if record["quick"] else ""
    figure.suptitle(f"{mark}In brackets: training seeds. 95% intervals by patient (and seed) bootstrap", fontsize=9)
    return figure


def gallery(
    record: Record, items: list[dict[str, Any]], heatmaps: dict[str, np.ndarray], labels: Sequence[str] = LABELS
) -> Figure:
    """Heatmaps of methods (columns) on the first test image of every class with a box (rows); first seed.

    Args:
        record: content of the result file.
        items: of the test images.
        heatmaps: method -> (R, x, y) logit maps of :func:`gallery_rows`; what is not in it is not shown.
        labels: class names of the items.
    """
    names = {name: title for name, title in titles(record).items() if name in heatmaps}
    rows = gallery_rows(items, labels)
    figure = Figure(figsize=(1.25 * (len(names) + 1), 1.3 * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), len(names) + 1, squeeze=False)
    for row, ((c, image), axes) in enumerate(zip(rows, grid, strict=True)):
        item = items[image]
        picture = tensor_to_picture(np.squeeze(np.asarray(read_picture(item["image"]))))
        boxes = [b for b, k in zip(item["boxes"], item["box_labels"], strict=True) if k == c]
        axes[0].set_ylabel(labels[c], fontsize=8)
        for axis in axes:
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axis.set_xticks([])
            axis.set_yticks([])
        for axis, name in zip(axes[1:], names, strict=True):
            logits = torch.from_numpy(heatmaps[name][row][None, None]).float()
            _heat(axis, upsample_heatmaps(logits, picture.shape[::-1])[0, 0].numpy(), picture.shape)
        for axis in axes:
            for x0, y0, x1, y1 in boxes:
                axis.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="white", linewidth=0.8))
    for axis, text in zip(grid[0], ["image, true box", *names.values()], strict=True):
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
    axis.set_xlim(0, width)
    axis.set_ylim(height, 0)


def mean_relevance(record: Record) -> Record:
    """Layer relevance of the multiscale network, mean over its seeds: class -> stage -> weight."""
    seeds = [table for name, table in record["relevance"].items() if name.startswith("multiscale-")]
    return {
        label: {
            stage: float(np.mean([s[label][stage] for s in seeds]))
            for stage in sorted(stages, key=lambda name: int(name.split()[-1]))  # "stride 4" first
        }
        for label, stages in (seeds[0] if seeds else {}).items()
    }


def plot_file(record: Record, name: str, folder: Path) -> Path:
    """Where a plot lies."""
    return folder / f"{record['experiment']}-{name}.png"


def have_plots(record: Record, folder: Path) -> bool:
    """Whether the plots in a folder are those of this record."""
    names = ["bars", "gallery", *(["relevance"] if record["relevance"] else [])]
    paths = [plot_file(record, name, folder) for name in names]
    return all(path.is_file() and _drawn_from(path) == record["inputs_sha256"] for path in paths)


def _drawn_from(path: Path) -> str | None:
    with Image.open(path) as picture:
        return picture.info.get("Source")


def save_plots(record: Record, items: list[dict[str, Any]], heatmaps: dict[str, np.ndarray], folder: Path) -> None:
    """Write ``<experiment>-{bars,gallery,relevance}.png``; each says which record it was drawn from."""
    figures = {"bars": bars(record), "gallery": gallery(record, items, heatmaps)}
    relevance = mean_relevance(record)
    if relevance:
        figures["relevance"] = relevance_figure(relevance, "Layer relevance, mean over seeds")
    for name, figure in figures.items():
        # No date or version inside, so that the same figures give the same file.
        metadata = {"Software": None, "Source": record["inputs_sha256"]}
        with replacing(plot_file(record, name, folder)) as temporary:
            figure.savefig(temporary, dpi=110, metadata=metadata)
