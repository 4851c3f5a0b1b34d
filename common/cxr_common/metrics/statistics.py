"""Figures of a set of images as functions of the images' weights, which is what a bootstrap draws."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import ArrayLike

from cxr_common.metrics.bootstrap import Array, Statistic
from cxr_common.metrics.classification import macro_average, per_class
from cxr_common.metrics.mask_counts import MaskCounts, dataset_iou
from cxr_common.metrics.points import hit_rates


def hit_statistic(hits: ArrayLike, average: str = "micro") -> Statistic:
    """Mean of a table (N, C), NaN = not scored; `average` as in :class:`~cxr_common.metrics.HitRates`."""
    return lambda weights: getattr(hit_rates(hits, weights), average)


def label_statistic(metric: Callable[..., Array], scores: ArrayLike, label: ArrayLike) -> Statistic:
    """Mean over classes of a metric of scores and labels (N, C), such as :func:`~cxr_common.metrics.auroc`."""
    return lambda weights: macro_average(per_class(metric, scores, label, weights))


def iou_statistic(counts: MaskCounts) -> Statistic:
    """Mean over classes of the IoU of the data set, of counts (N, C)."""
    return lambda weights: macro_average(dataset_iou(counts, weights))
