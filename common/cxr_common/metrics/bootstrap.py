"""Confidence intervals by resampling patients, with all their images, and training seeds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import TypedDict  # typing's own cannot be a field of a pydantic model before Python 3.12

Array = NDArray[np.float64]
#: Counts (R, N) of how often each replicate holds each image -> values (R,) or (R, K).
Statistic = Callable[[Array], Array]

CHUNK = 250


class IntervalValues(TypedDict):
    """An :class:`Interval` as plain values; undefined ones are None."""

    value: float | None
    low: float | None
    high: float | None
    level: float
    n_patients: int
    n_images: int
    n_seeds: int
    n_resamples: int


@dataclass(frozen=True)
class Interval:
    """A value and its percentile interval.

    Attributes:
        value: on the data as they are.
        low: lower end.
        high: upper end.
        level: nominal coverage.
        n_patients: patients (groups) resampled.
        n_images: their images.
        n_seeds: training seeds averaged over, of the method with the fewest.
        n_resamples: replicates in which the value was defined; the interval rests on these.
    """

    value: float
    low: float
    high: float
    level: float
    n_patients: int
    n_images: int
    n_seeds: int
    n_resamples: int

    def to_dict(self) -> IntervalValues:
        """Plain values; undefined ones (NaN) are None, so that it can be written as JSON."""
        plain = {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in asdict(self).items()}
        return cast(IntervalValues, plain)


def patient_counts(groups: Sequence[Any], n_resamples: int, rng: np.random.Generator) -> Array:
    """Draw patients with replacement.

    Args:
        groups: patient of each of N images.
        n_resamples: R.
        rng: source of randomness.

    Returns:
        (R, N): how often replicate r holds image n; images of one patient share a count.
    """
    _, index = np.unique(np.asarray([str(group) for group in groups]), return_inverse=True)
    n = int(index.max()) + 1
    return rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)[:, index].astype(np.float64)


def bootstrap(
    methods: Sequence[Sequence[Statistic]],
    combine: Callable[..., Array],
    groups: Sequence[Any],
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Interval]:
    """Intervals of a quantity that combines methods scored on the same images.

    In each replicate the patients are drawn once for all methods, and for each method with several seeds those are
    drawn too, independently of the other methods; a method's value is the mean over its seeds. Two or three seeds say
    little about their own spread: give their number with the interval.

    Args:
        methods: for each method, one statistic a seed. A statistic maps counts (R, N) to (R,) or (R, K); the metrics of
            this package take such counts as weights.
        combine: the methods' values, each (R,) or (R, K), to the quantity of that shape.
        groups: patient of each of the N images.
        n_resamples: replicates.
        seed: of the resampling.
        level: nominal coverage; the ends are the (1 -+ level) / 2 percentiles.

    Returns:
        K intervals (one for a scalar statistic). Replicates in which a value is NaN are left out of its interval; the
        ends are NaN where all are.

    Raises:
        ValueError: no images, no statistic, or a level outside (0, 1).
    """
    if not len(groups) or not methods or not all(len(seeds) for seeds in methods) or not 0 < level < 1:
        raise ValueError("needs images, at least one statistic a method, and 0 < level < 1")
    rng = np.random.default_rng(seed)
    value = combine(*(_mean_over_seeds(seeds, np.ones((1, len(groups))), None) for seeds in methods))
    parts = []
    for start in range(0, n_resamples, CHUNK):
        counts = patient_counts(groups, min(CHUNK, n_resamples - start), rng)
        parts.append(combine(*(_mean_over_seeds(seeds, counts, rng) for seeds in methods)))
    values, replicates = np.reshape(value, -1), np.concatenate([p.reshape(len(p), -1) for p in parts])
    n_patients = len({str(group) for group in groups})
    n_seeds = min(len(seeds) for seeds in methods)
    intervals = []
    for k, v in enumerate(values):
        defined = replicates[np.isfinite(replicates[:, k]), k]
        ends = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2]) if len(defined) else [np.nan, np.nan]
        low, high = map(float, ends)
        intervals.append(Interval(float(v), low, high, level, n_patients, len(groups), n_seeds, len(defined)))
    return intervals


def bootstrap_ci(
    statistic: Statistic | Sequence[Statistic],
    groups: Sequence[Any],
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of one method's scalar.

    Args:
        statistic: counts (R, N) to (R,); several are seeds of the same method, averaged.
        groups: patient of each of the N images.
        n_resamples: replicates.
        seed: of the resampling.
        level: nominal coverage.

    Example:
        >>> from cxr_common.metrics import auroc
        >>> scores, labels = [0.9, 0.8, 0.7, 0.4, 0.3, 0.1], [1, 1, 0, 1, 0, 0]
        >>> interval = bootstrap_ci(lambda counts: auroc(scores, labels, counts), groups=["a", "a", "b", "c", "d", "e"])
        >>> round(interval.value, 2), interval.n_patients, interval.n_images
        (0.89, 5, 6)
        >>> interval.low <= interval.value <= interval.high
        True
    """
    return bootstrap([_seeds(statistic)], lambda a: a, groups, n_resamples, seed, level)[0]


def paired_difference(
    a: Statistic | Sequence[Statistic],
    b: Statistic | Sequence[Statistic],
    groups: Sequence[Any],
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of a - b, both on the same draw of patients; arguments as :func:`bootstrap_ci`."""
    return bootstrap([_seeds(a), _seeds(b)], np.subtract, groups, n_resamples, seed, level)[0]


def paired_miss_reduction(
    a: Statistic | Sequence[Statistic],
    b: Statistic | Sequence[Statistic],
    groups: Sequence[Any],
    n_resamples: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Interval of 1 - (1 - a) / (1 - b), the part of b's misses that a avoids, for rates a and b in [0, 1].

    Arguments as :func:`bootstrap_ci`. Undefined in replicates where b misses nothing.
    """
    return bootstrap([_seeds(a), _seeds(b)], miss_reduction, groups, n_resamples, seed, level)[0]


def miss_reduction(a: ArrayLike, b: ArrayLike) -> Array:
    """1 - (1 - a) / (1 - b) elementwise; NaN where b is 1.

    Example:
        >>> round(float(miss_reduction(0.9, 0.8)), 2)  # half of the misses are avoided
        0.5
    """
    misses_a, misses_b = 1 - np.asarray(a, dtype=np.float64), 1 - np.asarray(b, dtype=np.float64)
    return 1 - np.divide(misses_a, misses_b, out=np.full(misses_b.shape, np.nan), where=misses_b > 0)


def _seeds(statistic: Statistic | Sequence[Statistic]) -> list[Statistic]:
    return [statistic] if callable(statistic) else list(statistic)


def _mean_over_seeds(seeds: Sequence[Statistic], counts: Array, rng: np.random.Generator | None) -> Array:
    values = np.stack([np.asarray(statistic(counts), dtype=np.float64) for statistic in seeds])
    if rng is None or len(seeds) == 1:
        return values.mean(0)
    drawn = rng.integers(len(seeds), size=values.shape[:2])
    index = drawn.reshape(drawn.shape + (1,) * (values.ndim - 2))
    return np.take_along_axis(values, np.broadcast_to(index, values.shape), axis=0).mean(0)
