"""Compare methods on the same images: intervals by patient, differences paired, seeds resampled with the patients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cxr_common.evaluation import Predictions, overlap_tables, point_hit_table
from cxr_common.metrics import (
    Interval,
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


def hit_statistic(hits: np.ndarray, average: str = "micro") -> Statistic:
    """Mean of hits (N, C) as a statistic of image weights."""
    return lambda w: getattr(hit_rates(hits, w), average)


def auroc_statistic(predictions: Predictions, classes: Sequence[int]) -> Statistic:
    """Macro AUROC of some classes as a statistic of image weights."""
    scores, label = predictions.logits[:, classes], predictions.label[:, classes]
    return lambda w: macro_average(per_class(auroc, scores, label, w))


def compare(a: list[Statistic], b: list[Statistic], groups: Sequence[str], misses: bool = False) -> dict[str, Any]:
    """Paired comparison of two methods, one statistic a seed."""
    report = {"difference": paired_difference(a, b, groups).to_dict()}
    if misses:
        report["fewer_misses"] = paired_miss_reduction(a, b, groups).to_dict()
    return report


def score(methods: dict[str, list[Predictions]], baseline: str, skip: str | None = None) -> dict[str, Any]:
    """Figures of every method, and of every method against the baseline.

    Args:
        methods: predictions of each seed of each method, all on the same images.
        baseline: method the others are compared with.
        skip: class whose boxes are not scored.

    Returns:
        Plain values: AUROC, point accuracy, overlaps; differences; random and centre points.
    """
    first = methods[baseline][0]
    groups, count = first.patients, len(first.labels)
    every = list(range(count))
    hits = {name: [_without(point_hit_table(p), p.labels, skip) for p in seeds] for name, seeds in methods.items()}
    overlaps = {name: [overlap_tables(p) for p in seeds] for name, seeds in methods.items()}
    report: dict[str, Any] = {"n_images": len(first.items), "n_patients": len(set(groups)), "methods": {}}
    for name, seeds in methods.items():
        entry: dict[str, Any] = {
            "n_seeds": len(seeds),
            "auroc": {"macro": _ci([auroc_statistic(p, every) for p in seeds], groups)},
            "point": {a: _ci([hit_statistic(h, a) for h in hits[name]], groups) for a in ("micro", "macro")},
            "overlap": {
                key: _ci([hit_statistic(_without(t[key], first.labels, skip)) for t in overlaps[name]], groups)
                for key in overlaps[name][0]
            },
        }
        for c, label in enumerate(first.labels):
            entry["auroc"][label] = _ci([auroc_statistic(p, [c]) for p in seeds], groups)
            entry["point"][label] = _ci([hit_statistic(h[:, [c]]) for h in hits[name]], groups)
        if name != baseline:
            a, b = methods[name], methods[baseline]
            entry["against"] = {
                "baseline": baseline,
                "auroc": compare(
                    [auroc_statistic(p, every) for p in a], [auroc_statistic(p, every) for p in b], groups
                ),
                **{
                    f"point {average}": compare(
                        [hit_statistic(h, average) for h in hits[name]],
                        [hit_statistic(h, average) for h in hits[baseline]],
                        groups,
                        misses=True,
                    )
                    for average in ("micro", "macro")
                },
            }
        report["methods"][name] = entry
    boxes, classes = first.boxes()
    for name, chance in (("random pixel", random_point_hits), ("centre pixel", centre_point_hits)):
        table = _without(chance(boxes, classes, count, first.input_size), first.labels, skip)
        report[name] = {a: _ci([hit_statistic(table, a)], groups) for a in ("micro", "macro")}
    report["pairs"] = dict(zip(first.labels, np.isfinite(hits[baseline][0]).sum(0).tolist(), strict=True))
    return report


def score_opacity(methods: dict[str, list[Predictions]], baseline: str, keep: np.ndarray) -> dict[str, Any]:
    """AUROC of Opacity on a subset of images, every method and against the baseline."""
    parts = {name: [p.subset(keep) for p in seeds] for name, seeds in methods.items()}
    first = parts[baseline][0]
    c, groups = first.labels.index("Opacity"), first.patients
    label = first.label[:, c]
    statistics = {name: [auroc_statistic(p, [c]) for p in seeds] for name, seeds in parts.items()}
    return {
        "present": int((label == 1).sum()),
        "absent": int((label == 0).sum()),
        "methods": {name: _ci(s, groups) for name, s in statistics.items()},
        "against": {n: compare(s, statistics[baseline], groups) for n, s in statistics.items() if n != baseline},
    }


def _ci(seeds: list[Statistic], groups: Sequence[str]) -> dict[str, Any]:
    interval = bootstrap_ci(seeds, groups)
    assert isinstance(interval, Interval)
    return interval.to_dict()


def _without(hits: np.ndarray, labels: list[str], skip: str | None) -> np.ndarray:
    out = hits.copy()
    if skip is not None:
        out[:, labels.index(skip)] = np.nan
    return out
