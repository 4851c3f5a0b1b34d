"""How well predicted masks cover the true ones: IoU of a data set, IoU and Dice of images.

All figures follow from three pixel counts per image and class (:class:`MaskCounts`), so masks need not be kept, and may
be compared at the network's resolution or in the geometry of each original. Values of images are (N, C), NaN where
one is left out; average them with :func:`~cxr_common.metrics.points.hit_rates`, which also takes bootstrap weights.

The literature's "mIoU" is one of two figures: CheXseg (Gadgil et al., MIDL 2021) divides the sum of the intersections
by the sum of the unions over the data set, class by class (:func:`dataset_iou`); CheXlocalize (Saporta et al., 2022)
averages the IoU of images (:func:`image_iou`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
#: Probabilities that CheXseg tries as thresholds of its masks.
PROBABILITY_GRID: tuple[float, ...] = tuple(np.round(np.arange(20) * 0.05, 2).tolist())
#: Masks of one image: (X, Y) per class, non-zero inside; None = not annotated.
Truth = Sequence["ArrayLike | None"]


@dataclass(frozen=True)
class MaskCounts:
    """Pixels of masks.

    Attributes:
        intersection: (..., N, C) in both masks; NaN where the class is not annotated.
        predicted: in the predicted mask; NaN likewise.
        true: in the true mask; NaN likewise.
    """

    intersection: Array
    predicted: Array
    true: Array

    @property
    def union(self) -> Array:
        """Pixels in either mask."""
        return self.predicted + self.true - self.intersection

    def map(self, change: Callable[[Array], Array]) -> MaskCounts:
        """The same change to each of the three tables."""
        return MaskCounts(*(change(getattr(self, field.name)) for field in fields(self)))

    def of_classes(self, columns: Sequence[int]) -> MaskCounts:
        """The counts of some classes."""
        return self.map(lambda table: table[..., columns])

    @classmethod
    def concatenate(cls, parts: Sequence[MaskCounts]) -> MaskCounts:
        """The counts of several sets of images, in order."""
        return cls(*(np.concatenate([getattr(part, f.name) for part in parts], axis=-2) for f in fields(cls)))


def mask_counts(predicted: Iterable[Sequence[ArrayLike]], truth: Iterable[Truth]) -> MaskCounts:
    """Count the pixels of predicted and true masks.

    Args:
        predicted: per image C masks (X, Y), non-zero inside; an array (N, C, X, Y) will do. Sizes may differ from image
            to image.
        truth: per image C masks of the same size, None = not annotated.

    Returns:
        Counts (N, C).

    Raises:
        ValueError: a pair of masks of different sizes, or lists of different lengths.

    Example:
        >>> counts = mask_counts([[[[1, 1], [0, 0]]]], [[[[1, 0], [1, 0]]]])
        >>> counts.intersection.tolist(), counts.union.tolist()
        ([[1.0]], [[3.0]])
    """
    rows = []
    for masks, true_masks in zip(predicted, truth, strict=True):
        row = np.full((3, len(masks)), np.nan)
        for c, (mask, true) in enumerate(zip(masks, true_masks, strict=True)):
            if true is not None:
                inside, outline = _same_shape(np.asarray(mask) != 0, np.asarray(true) != 0)
                row[:, c] = (inside & outline).sum(), inside.sum(), outline.sum()
        rows.append(row)
    return MaskCounts(*np.stack(rows, axis=1))


def threshold_counts(
    probabilities: Iterable[ArrayLike], truth: Iterable[Truth], thresholds: Sequence[float]
) -> MaskCounts:
    """Counts at every threshold of a grid in one pass; a pixel is inside where its probability is larger.

    Args:
        probabilities: per image (C, X, Y); compared in their own precision, as CheXseg's code does in float32.
        truth: per image C masks (X, Y), None = not annotated.
        thresholds: T rising values.

    Returns:
        Counts (T, N, C).

    Raises:
        ValueError: masks and maps of different sizes, or thresholds that do not rise.
    """
    if len(thresholds) == 0 or (np.diff(thresholds) <= 0).any():
        raise ValueError("thresholds must rise")
    steps, rows = len(thresholds) + 1, []
    for maps, true_masks in zip(probabilities, truth, strict=True):
        values = np.asarray(maps)
        row = np.full((3, len(thresholds), len(values)), np.nan)
        for c, (heat, true) in enumerate(zip(values, true_masks, strict=True)):
            if true is None:
                continue
            _, outline = _same_shape(heat, np.asarray(true) != 0)
            passed = np.searchsorted(np.asarray(thresholds, dtype=values.dtype), heat)  # thresholds below each pixel
            for k, index in enumerate((passed[outline], passed)):
                # Pixels that pass more than t thresholds are inside at threshold t.
                row[k, :, c] = np.bincount(index.ravel(), minlength=steps)[::-1].cumsum()[::-1][1:]
            row[2, :, c] = outline.sum()
        rows.append(row)
    return MaskCounts(*np.stack(rows, axis=2))


def dataset_iou(counts: MaskCounts, weights: ArrayLike | None = None) -> Array:
    """IoU of a data set: the intersections' sum over the unions' sum (CheXseg); large images and findings weigh more.

    Args:
        counts: (..., N, C).
        weights: (..., N), one per image, such as the counts of a bootstrap replicate; default 1. Several rows of them
            need counts (N, C).

    Returns:
        (..., C); NaN for a class without a pixel in either mask, or not annotated. CheXseg's figure is their mean.

    Example:
        >>> counts = MaskCounts(np.array([[1.0], [3.0]]), np.array([[2.0], [3.0]]), np.array([[2.0], [4.0]]))
        >>> round(float(dataset_iou(counts)[0]), 3)  # (1 + 3) / (3 + 4)
        0.571
    """
    w = np.ones(counts.true.shape[-2]) if weights is None else np.asarray(weights, dtype=np.float64)
    return _divide(w @ np.nan_to_num(counts.intersection), w @ np.nan_to_num(counts.union))


def image_iou(counts: MaskCounts, true_positives: bool = False) -> Array:
    """IoU of every image (CheXlocalize).

    Args:
        counts: (N, C).
        true_positives: only pairs in which neither mask is empty, CheXlocalize's true-positive slice; else its full
            set, in which missed and invented findings count 0.

    Returns:
        (N, C); NaN where not annotated, where both masks are empty, and for true positives where either is.

    Example:
        >>> counts = MaskCounts(np.array([[1.0], [0.0]]), np.array([[2.0], [0.0]]), np.array([[2.0], [0.0]]))
        >>> image_iou(counts).round(3).tolist()  # nothing there and nothing drawn: left out
        [[0.333], [nan]]
    """
    defined = np.minimum(counts.predicted, counts.true) > 0 if true_positives else counts.union > 0
    return np.where(defined, _divide(counts.intersection, counts.union), np.nan)


def image_dice(counts: MaskCounts, present_only: bool = False) -> Array:
    """Dice coefficient of every image.

    By the rule of the SIIM-ACR challenge two empty masks agree fully. As most of its images show nothing, predicting
    nothing scores .78 there: give the figure of the images that have the finding beside it.

    Args:
        counts: (N, C).
        present_only: only images whose true mask is not empty.

    Returns:
        (N, C); 1 where both masks are empty, NaN where not annotated, or with `present_only` not present.

    Example:
        >>> counts = MaskCounts(np.array([[1.0], [0.0]]), np.array([[2.0], [0.0]]), np.array([[2.0], [0.0]]))
        >>> image_dice(counts).tolist(), image_dice(counts, present_only=True).tolist()
        ([[0.5], [1.0]], [[0.5], [nan]])
    """
    both = counts.predicted + counts.true
    dice = np.where(both == 0, 1.0, _divide(2 * counts.intersection, both))
    return np.where(counts.true > 0, dice, np.nan) if present_only else dice


def share_inside(counts: MaskCounts) -> Array:
    """Share of the predicted mask of every image that lies inside the true one, such as the boxes of a finding.

    Args:
        counts: (N, C).

    Returns:
        (N, C); 0 where nothing is predicted, NaN where not annotated or the true mask is empty.

    Example:
        >>> counts = MaskCounts(np.array([[1.0], [0.0]]), np.array([[2.0], [0.0]]), np.array([[5.0], [5.0]]))
        >>> share_inside(counts).tolist()
        [[0.5], [0.0]]
    """
    return np.where(counts.true > 0, np.nan_to_num(_divide(counts.intersection, counts.predicted)), np.nan)


def area_ratio(counts: MaskCounts) -> Array:
    """How many times as large as the true mask the predicted one is; an empty one counts as one pixel.

    Args:
        counts: (N, C).

    Returns:
        (N, C); NaN where not annotated or the true mask is empty.

    Example:
        >>> counts = MaskCounts(np.array([[1.0], [0.0]]), np.array([[2.0], [0.0]]), np.array([[4.0], [5.0]]))
        >>> area_ratio(counts).tolist()
        [[0.5], [0.2]]
    """
    return _divide(np.maximum(counts.predicted, 1), counts.true)


def _same_shape(mask: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if mask.shape != true.shape:
        raise ValueError(f"mask {mask.shape} and true mask {true.shape} must have the same shape")
    return mask, true


def _divide(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
