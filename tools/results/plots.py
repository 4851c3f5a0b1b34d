"""Plots of experiments: intervals as bars or curves, and a gallery of heatmaps."""

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
from tools.results.tables import curve_points, mean_relevance, scored_methods

Record = dict[str, Any]


def errors(intervals: Sequence[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Values (N,), and (2, N) how far their intervals go down and up."""
    value, low, high = (np.array([interval[key] for interval in intervals]) for key in ("value", "low", "high"))
    return value, np.maximum([value - low, high - value], 0)  # a percentile interval can end short of its value


def bars(record: Record) -> Figure:
    """Point accuracy and AUROC of every method on the phantom test set, with 95% intervals."""
    names, figures = scored_methods(record), record["tests"]["phantoms"]["figures"]
    figure = Figure(figsize=(9, 1.2 + 0.34 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    columns = (("point accuracy (micro)", "point", "micro", 0), ("AUROC (macro)", "auroc", "macro", 0.5))
    for axes, (text, name, average, left) in zip(panels, columns, strict=True):
        value, error = errors([figures[name][average]["methods"][method] for method in names])
        axes.barh(range(len(names)), value, color="#4477aa")
        axes.errorbar(value, range(len(names)), xerr=error, fmt="none", ecolor="black", capsize=3)
        axes.set_xlim(left, 1)
        axes.set_xlabel(f"{text}, synthetic phantoms")
    seeds = [figures["point"]["micro"]["methods"][method]["n_seeds"] for method in names]
    panels[0].set_yticks(range(len(names)), [f"{t} ({n})" for t, n in zip(names.values(), seeds, strict=True)])
    panels[0].invert_yaxis()
    return _marked(figure, record, "In brackets: training seeds. 95% intervals by patient (and seed) bootstrap")


def curves(record: Record) -> Figure:
    """AP40 against the number of images with each kind of annotation, the others as they are, with 95% intervals."""
    found = record["tests"]["phantoms"]["figures"]["AP40"]["macro"]["methods"]
    kinds = {kind: [p for p in points if p[1] in found] for kind, points in curve_points(record["recipe"]).items()}
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = np.atleast_1d(figure.subplots(1, len(kinds), sharey=True))
    for axes, (kind, points) in zip(panels, kinds.items(), strict=True):
        value, error = errors([found[name] for _, name in points])
        axes.errorbar([n for n, _ in points], value, yerr=error, color="#4477aa", marker="o", capsize=3)
        axes.set_xlabel({"boxes": "images with boxes", "label": "with a label only"}.get(kind, "with neither"))
        axes.set_ylim(bottom=0)
    panels[0].set_ylabel("AP40, synthetic phantoms")
    return _marked(figure, record, "95% intervals by patient (and seed) bootstrap")


def _marked(figure: Figure, record: Record, text: str) -> Figure:
    mark = "QUICK RUN, says nothing about the methods. " if record["quick"] else ""
    figure.suptitle(mark + text, fontsize=9)
    return figure


def gallery(
    record: Record, items: list[Record], heatmaps: dict[str, np.ndarray], labels: Sequence[str] = LABELS
) -> Figure:
    """Heatmaps of methods (columns) on the first test image of every class with a box (rows); first seed.

    Args:
        record: content of the result file.
        items: of the test images.
        heatmaps: method -> (R, x, y) logit maps of :func:`gallery_rows`; what is not in it is not shown.
        labels: class names of the items.
    """
    names = {name: title for name, title in scored_methods(record).items() if name in heatmaps}
    rows = gallery_rows(items, labels)
    figure = Figure(figsize=(1.25 * (len(names) + 1), 1.3 * len(rows) + 0.5), layout="constrained")
    grid = figure.subplots(len(rows), len(names) + 1, squeeze=False)
    for row, ((c, image), axes) in enumerate(zip(rows, grid, strict=True)):
        item = items[image]
        picture = tensor_to_picture(np.squeeze(np.asarray(read_picture(item["image"]))))
        axes[0].set_ylabel(labels[c], fontsize=8)
        for axis in axes:
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        for axis, name in zip(axes[1:], names, strict=True):
            logits = torch.from_numpy(heatmaps[name][row][None, None]).float()
            _heat(axis, upsample_heatmaps(logits, picture.shape[::-1])[0, 0].numpy(), picture.shape)
        for axis in axes:
            for (x0, y0, x1, y1), k in zip(item["boxes"], item["box_labels"], strict=True):
                if k == c:
                    box = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor="white", linewidth=0.8)
                    axis.add_patch(box)
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
    axis.set(xlim=(0, width), ylim=(height, 0))


def _plot_file(record: Record, name: str, folder: Path) -> Path:
    return folder / f"{record['experiment']}-{name}.png"


def have_plots(record: Record, folder: Path) -> bool:
    """Whether the plots in a folder are those of this record."""
    names = ["bars", "gallery", *(["relevance"] if record["notes"]["relevance"] else [])]
    paths = [_plot_file(record, name, folder) for name in names]
    return all(path.is_file() and _drawn_from(path) == record["inputs_sha256"] for path in paths)


def _drawn_from(path: Path) -> str | None:
    with Image.open(path) as picture:
        return picture.info.get("Source")


def save_plots(record: Record, items: list[Record], heatmaps: dict[str, np.ndarray], folder: Path) -> None:
    """Write ``<experiment>-{bars,gallery,relevance}.png``; each says which record it was drawn from."""
    figures = {"bars": bars(record), "gallery": gallery(record, items, heatmaps)}
    if relevance := mean_relevance(record["notes"]["relevance"]):
        figures["relevance"] = relevance_figure(relevance, "Layer relevance, mean over seeds")
    for name, figure in figures.items():
        save(figure, _plot_file(record, name, folder), record)


def save(figure: Figure, path: Path, record: Record) -> None:
    """Write a plot; no date or version inside, so that the same figures give the same file."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None, "Source": record["inputs_sha256"]})
