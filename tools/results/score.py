"""Compare methods on the same images: intervals by patient, differences paired, seeds resampled with the patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_common.evaluation import Predictions, overlap_tables, point_hit_table
from cxr_common.metrics import (
    auroc,
    bootstrap_ci,
    centre_point_hits,
    hit_rates,
    macro_average,
    paired_difference,
    paired_miss_reduction,
    per_class,
    random_point_hits,
)

Statistic = Callable[[np.ndarray], np.ndarray]
#: Opacity has the boxes of Consolidation on phantoms; counting both would count one finding twice.
PHANTOM_SKIP = "Opacity"
#: Figures that are given of every seed by itself.
FIGURES = ("auroc", "point")
#: The overlap that is given class by class.
BY_CLASS = "box T(IoBB) > 0.25"


def hit_statistic(hits: np.ndarray, average: str = "micro") -> Statistic:
    """Mean of hits (N, C) as a statistic of image weights."""
    return lambda w: getattr(hit_rates(hits, w), average)


def auroc_statistic(predictions: Predictions, classes: Sequence[int]) -> Statistic:
    """Macro AUROC of some classes as a statistic of image weights."""
    scores, label = predictions.logits[:, classes], predictions.label[:, classes]
    return lambda w: macro_average(per_class(auroc, scores, label, w))


@dataclass(frozen=True)
class Scored:
    """One network's predictions and the hit tables (N, C) made of them; NaN where a class has no box."""

    predictions: Predictions
    points: np.ndarray
    overlaps: dict[str, np.ndarray]

    def statistic(self, figure: str, label: str | None = None, average: str = "micro") -> Statistic:
        """A figure as a function of image weights.

        Args:
            figure: "auroc" (macro), "point", or the name of an overlap, such as "mask T(IoU) > 0.1".
            label: one class only.
            average: of points and overlaps over classes: "micro" or "macro".
        """
        labels = self.predictions.labels
        classes = [labels.index(label)] if label else list(range(len(labels)))
        if figure == "auroc":
            return auroc_statistic(self.predictions, classes)
        table = self.points if figure == "point" else self.overlaps[figure]
        return hit_statistic(table[:, classes], average)

    def subset(self, keep: np.ndarray) -> Scored:
        """The images where a (N,) bool array is true."""
        overlaps = {name: table[keep] for name, table in self.overlaps.items()}
        return Scored(self.predictions.subset(keep), self.points[keep], overlaps)

    def without(self, skip: str) -> Scored:
        """The same without the boxes of a class."""
        labels = self.predictions.labels
        overlaps = {name: _without(table, labels, skip) for name, table in self.overlaps.items()}
        return Scored(self.predictions, _without(self.points, labels, skip), overlaps)


def measure(predictions: Predictions) -> Scored:
    """Hit tables of one network."""
    return Scored(predictions, point_hit_table(predictions), overlap_tables(predictions))


def compare(a: list[Statistic], b: list[Statistic], groups: Sequence[str], misses: bool = False) -> dict[str, Any]:
    """Paired comparison of two methods, one statistic a seed."""
    report = {"difference": paired_difference(a, b, groups).to_dict()}
    if misses:
        report["fewer_misses"] = paired_miss_reduction(a, b, groups).to_dict()
    return report


def score_methods(methods: dict[str, list[Scored]], baseline: str) -> dict[str, Any]:
    """Figures of every method, and of every method against the baseline.

    Returns:
        Plain values: AUROC, point accuracy, overlaps; differences; random and centre points; counts.
    """
    first = methods[baseline][0].predictions
    groups, labels = first.patients, first.labels

    def interval(seeds: list[Scored], *figure: Any, **options: Any) -> dict[str, Any]:
        return bootstrap_ci([s.statistic(*figure) for s in seeds], groups, **options).to_dict()

    def against(seeds: list[Scored], *figure: Any, misses: bool = False) -> dict[str, Any]:
        a, b = ([s.statistic(*figure) for s in method] for method in (seeds, methods[baseline]))
        return compare(a, b, groups, misses)

    report: dict[str, Any] = {"n_images": len(first.items), "n_patients": len(set(groups)), "methods": {}}
    for name, seeds in methods.items():
        entry: dict[str, Any] = {
            "seeds": len(seeds),
            "auroc": {"macro": interval(seeds, "auroc")} | {c: interval(seeds, "auroc", c) for c in labels},
            "point": {a: interval(seeds, "point", None, a) for a in ("micro", "macro")}
            | {c: interval(seeds, "point", c) for c in labels},
            "overlap": {key: interval(seeds, key) for key in seeds[0].overlaps},
            "overlap_by_class": {BY_CLASS: {c: interval(seeds, BY_CLASS, c) for c in labels}},
            # Of each seed by itself, to show how far apart they lie.
            "by_seed": {
                **{figure: [interval([s], figure, n_resamples=1)["value"] for s in seeds] for figure in FIGURES},
                "point by class": {
                    c: [interval([s], "point", c, n_resamples=1)["value"] for s in seeds] for c in labels
                },
            },
        }
        if name != baseline:
            entry["against"] = {
                "baseline": baseline,
                "auroc": against(seeds, "auroc"),
                "point micro": against(seeds, "point", misses=True),
                "point macro": against(seeds, "point", None, "macro", misses=True),
            }
        report["methods"][name] = entry
    boxes, classes = first.boxes()
    counted = np.isfinite(methods[baseline][0].points)
    for name, chance in (("random pixel", random_point_hits), ("centre pixel", centre_point_hits)):
        table = np.where(counted, chance(boxes, classes, len(labels), first.input_size), np.nan)
        report[name] = {a: bootstrap_ci(hit_statistic(table, a), groups).to_dict() for a in ("micro", "macro")}
        by_class = [None if np.isnan(v) else float(v) for v in hit_rates(table).per_class]
        report[name]["by_class"] = dict(zip(labels, by_class, strict=True))
    report["pairs"] = dict(zip(labels, counted.sum(0).tolist(), strict=True))
    return report


def score_opacity(methods: dict[str, list[Scored]], baseline: str, keep: np.ndarray) -> dict[str, Any]:
    """AUROC of Opacity on a subset of images, every method and against the baseline."""
    parts = {name: [one.predictions.subset(keep) for one in seeds] for name, seeds in methods.items()}
    first = parts[baseline][0]
    c, groups = first.labels.index("Opacity"), first.patients
    label = first.label[:, c]
    statistics = {name: [auroc_statistic(p, [c]) for p in seeds] for name, seeds in parts.items()}
    return {
        "present": int((label == 1).sum()),
        "absent": int((label == 0).sum()),
        "methods": {name: bootstrap_ci(s, groups).to_dict() for name, s in statistics.items()},
        "against": {n: compare(s, statistics[baseline], groups) for n, s in statistics.items() if n != baseline},
    }


def _without(hits: np.ndarray, labels: list[str], skip: str) -> np.ndarray:
    out = hits.copy()
    out[:, labels.index(skip)] = np.nan
    return out
