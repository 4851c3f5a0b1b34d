"""Plots of experiments: intervals as bars or curves, and a gallery of heatmaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from cxr_common.files import replacing
from tools.results.tables import curve_points, scored_methods

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


def draw_once(path: Path, record: Record, draw: Callable[[], Figure]) -> None:
    """Draw a picture of a record, unless the file is there and says that it was drawn from this one.

    There is no date or version inside, so that the same figures give the same file.
    """
    if path.is_file():
        with Image.open(path) as picture:
            if picture.info.get("Source") == record["inputs_sha256"]:
                return
    with replacing(path) as temporary:
        draw().savefig(temporary, dpi=110, metadata={"Software": None, "Source": record["inputs_sha256"]})
    print(f"drew {path}")
