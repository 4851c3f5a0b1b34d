"""Intervals of figures over the patients of a set of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

import numpy as np

from cxr_common.evaluation.predictions import Predictions
from cxr_common.metrics import bootstrap_ci
from cxr_common.metrics.bootstrap import IntervalValues
from cxr_common.metrics.statistics import hit_statistic


class ClassValues(TypedDict):
    """A figure of every class, and their mean."""

    macro: IntervalValues
    per_class: dict[str, IntervalValues]


class PooledValues(ClassValues):
    """The same, and the figure of all pairs of image and class together."""

    micro: IntervalValues


class HitsReport(PooledValues):
    """Means of hits, and how many pairs are scored."""

    pairs: dict[str, int]


def interval(statistic: Any, groups: Sequence[str], **options: Any) -> IntervalValues:
    """A scalar statistic's value and 95% interval as plain values; None where undefined."""
    return bootstrap_ci(statistic, groups, **options).to_dict()


def hits_report(hits: np.ndarray, predictions: Predictions, **options: Any) -> HitsReport:
    """Means of hits (N, C): micro, macro and per class, with intervals and the number of scored pairs."""
    groups = predictions.patients
    classes = [interval(hit_statistic(hits[:, [c]]), groups, **options) for c in range(len(predictions.labels))]
    return {
        "micro": interval(hit_statistic(hits), groups, **options),
        "macro": interval(hit_statistic(hits, "macro"), groups, **options),
        "per_class": dict(zip(predictions.labels, classes, strict=True)),
        "pairs": dict(zip(predictions.labels, np.isfinite(hits).sum(0).tolist(), strict=True)),
    }
