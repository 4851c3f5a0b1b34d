"""How well scores separate present from absent findings: AUROC and average precision.

Labels are 1 (present), 0 (absent); -1 (uncertain) and NaN (not annotated) are left out of every figure. Every function
takes weights, one per image, and a whole stack of them at once: a bootstrap replicate is a vector of counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
BinaryMetric = Callable[[ArrayLike, ArrayLike, "ArrayLike | None"], Array]


def auroc(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Array:
    r"""Area under the receiver operating characteristic curve of one class.

    The probability that a present case scores above an absent one, ties counting half (Hanley and McNeil 1982):

    .. math:: A = \frac{\sum_{i: y_i=1} \sum_{j: y_j=0} w_i w_j ([s_i > s_j] + [s_i = s_j] / 2)}
                       {\sum_{i: y_i=1} w_i \sum_{j: y_j=0} w_j}

    Args:
        scores: (N,) any increasing function of probability.
        labels: (N,) 1, 0; others are left out.
        weights: (..., N), not negative; default 1.

    Returns:
        (...) values; NaN where only one class has weight or a score is NaN.

    Example:
        >>> float(auroc(scores=[0.9, 0.8, 0.3, 0.1], labels=[1, 0, 1, 0]))
        0.75
        >>> float(auroc(scores=[0.9, 0.8, 0.3], labels=[1, -1, 0]))  # the uncertain case is left out
        1.0
    """
    positive, negative = _tied_counts(scores, labels, weights)
    below = negative.sum(-1, keepdims=True) - negative.cumsum(-1)
    return _divide((positive * (below + negative / 2)).sum(-1), positive.sum(-1) * negative.sum(-1))


def average_precision(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Array:
    r"""Area under the precision-recall curve of one class, as a step function.

    .. math:: AP = \sum_n (R_n - R_{n-1}) P_n

    over the distinct scores in falling order (scikit-learn's definition, without interpolation).

    Args:
        scores: (N,) any increasing function of probability.
        labels: (N,) 1, 0; others are left out.
        weights: (..., N), not negative; default 1.

    Returns:
        (...) values; NaN where only one class has weight (scikit-learn: 0 or 1) or a score is NaN.

    Example:
        >>> round(float(average_precision(scores=[0.9, 0.8, 0.3, 0.1], labels=[1, 0, 1, 0])), 3)
        0.833
    """
    positive, negative = _tied_counts(scores, labels, weights)
    hits = positive.cumsum(-1)
    precision = np.divide(hits, hits + negative.cumsum(-1), out=np.zeros_like(hits), where=hits > 0)
    total = positive.sum(-1)
    # 0 * negatives: undefined where there are none, as AUROC is.
    return _divide((positive * precision).sum(-1), np.where(negative.sum(-1) > 0, total, 0))


def per_class(metric: BinaryMetric, scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """A binary metric of every class.

    Args:
        metric: :func:`auroc` or :func:`average_precision`.
        scores: (N, C).
        labels: (N, C).
        weights: (..., N), one per image.

    Returns:
        (..., C).

    Example:
        >>> per_class(auroc, scores=[[0.9, 0.2], [0.1, 0.4]], labels=[[1, 1], [0, 0]]).tolist()
        [1.0, 0.0]
    """
    s, y = _matching(scores, labels)
    return np.stack([metric(s[:, c], y[:, c], weights) for c in range(s.shape[1])], axis=-1)


def micro(metric: BinaryMetric, scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """A binary metric over all scored (image, class) pairs at once; arguments as :func:`per_class`, returns (...).

    Example:
        >>> float(micro(auroc, scores=[[0.9, 0.2], [0.1, 0.4]], labels=[[1, 1], [0, 0]]))
        0.75
    """
    s, y = _matching(scores, labels)
    w = None if weights is None else np.repeat(np.asarray(weights, dtype=np.float64), s.shape[1], axis=-1)
    return metric(s.ravel(), y.ravel(), w)


def macro_average(values: ArrayLike) -> Array:
    """Unweighted mean over the classes (last axis) that are defined; NaN where none is.

    Example:
        >>> float(macro_average([0.5, float("nan"), 1.0]))
        0.75
    """
    v = np.asarray(values, dtype=np.float64)
    return _divide(np.nansum(v, axis=-1), np.isfinite(v).sum(-1))


def support_average(values: ArrayLike, labels: ArrayLike, weights: ArrayLike | None = None) -> Array:
    """Mean over the defined classes (last axis), weighted by their number of present labels.

    Args:
        values: (..., C).
        labels: (N, C).
        weights: (..., N), one per image.

    Returns:
        (...); NaN where no class is defined.
    """
    v, present = np.asarray(values, dtype=np.float64), np.asarray(labels) == 1
    w = np.ones(len(present)) if weights is None else np.asarray(weights, dtype=np.float64)
    support = np.where(np.isfinite(v), w @ present.astype(np.float64), 0)
    return _divide((np.nan_to_num(v) * support).sum(-1), support.sum(-1))


class Averages(TypedDict):
    """A metric of every class, and its averages over classes; NaN where undefined."""

    macro: float
    micro: float
    weighted: float
    per_class: dict[str, float]


class Count(TypedDict):
    """How many images have a class, and how many have it not."""

    present: int
    absent: int


class LabelScores(TypedDict):
    """Image-level figures of a model, and counts by class."""

    auroc: Averages
    average_precision: Averages
    count: dict[str, Count]


def image_label_scores(scores: ArrayLike, labels: ArrayLike, names: Sequence[str]) -> LabelScores:
    """All image-level figures of one model.

    Args:
        scores: (N, C) logits or probabilities.
        labels: (N, C).
        names: C class names.
    """
    s, y = _matching(scores, labels)

    def averages(metric: Callable[..., Array]) -> Averages:
        values = per_class(metric, s, y)
        return {
            "macro": float(macro_average(values)),
            "micro": float(micro(metric, s, y)),
            "weighted": float(support_average(values, y)),
            "per_class": dict(zip(names, values.tolist(), strict=True)),
        }

    count: dict[str, Count] = {
        name: {"present": int((y[:, c] == 1).sum()), "absent": int((y[:, c] == 0).sum())}
        for c, name in enumerate(names)
    }
    return {"auroc": averages(auroc), "average_precision": averages(average_precision), "count": count}


def _tied_counts(scores: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> tuple[Array, Array]:
    """Weight of present and of absent cases at each distinct score, in falling order: two (..., G)."""
    s, y = _matching(scores, labels)
    w = np.ones(len(s)) if weights is None else np.asarray(weights, dtype=np.float64)
    scored = np.flatnonzero((y == 0) | (y == 1))
    if not len(scored) or np.isnan(s[scored]).any():
        empty = np.zeros((*w.shape[:-1], 1))
        return empty, empty
    scored = scored[np.argsort(-s[scored], kind="stable")]
    starts = np.flatnonzero(np.r_[True, np.diff(s[scored]) != 0])
    w = w[..., scored]
    positive = np.add.reduceat(w * (y[scored] == 1), starts, axis=-1)
    return positive, np.add.reduceat(w, starts, axis=-1) - positive


def _matching(scores: ArrayLike, labels: ArrayLike) -> tuple[Array, Array]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    if s.shape != y.shape:
        raise ValueError(f"scores {s.shape} and labels {y.shape} must have the same shape")
    return s, y


def _divide(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
