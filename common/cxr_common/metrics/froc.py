"""Free-response ROC: part of the lesions found against false positives an image (Bunch 1977; Chakraborty 1989).

A detection hits a true box of its class by one of two rules, which papers do not always name: *iou*, the boxes overlap
enough; *centre*, the detection's centre lies in the true box. A lesion is found at a threshold where any detection
that hits it scores as much; a second detection of a lesion is neither another lesion found nor a false positive
(as in the LUNA16 and CAMELYON16 challenges). Only detections that hit nothing are false positives.

MONAI's ``compute_froc_curve_data`` takes points in masks, leaves out the lowest threshold, and takes no weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxr_common.boxes import pairwise_iou
from cxr_common.metrics.ranked_boxes import Detections, RankedHits, Truth, TruthLabels, annotated_images

Array = NDArray[np.float64]
#: False positives an image at which sensitivity is reported.
FROC_RATES: tuple[float, ...] = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0, 4.0, 8.0)
HIT_RULES = ("iou", "centre")


@dataclass(frozen=True)
class LesionHits:
    """Which lesions were found, and which boxes hit none.

    Attributes:
        annotated: (N,) 1 where the image's boxes are annotated, else 0.
        image: (L,) image of each lesion (true box).
        classes: (L,) its class.
        score: (L,) best score of a detection that hits it; -inf where none does.
        false_image: (F,) image of each false positive.
        false_classes: (F,) its class.
        false_score: (F,) its score.
    """

    annotated: Array
    image: NDArray[np.int64]
    classes: NDArray[np.int64]
    score: Array
    false_image: NDArray[np.int64]
    false_classes: NDArray[np.int64]
    false_score: Array

    def of_class(self, c: int) -> LesionHits:
        """The lesions and false positives of one class; pooled over classes otherwise."""
        own, false = self.classes == c, self.false_classes == c
        return LesionHits(
            self.annotated,
            *(self.image[own], self.classes[own], self.score[own]),
            *(self.false_image[false], self.false_classes[false], self.false_score[false]),
        )

    def ranked(self) -> RankedHits:
        """By falling score of lesions; false positives of equal score come first."""
        order = np.argsort(-self.score, kind="stable")
        order = order[np.isfinite(self.score[order])]
        rank = np.searchsorted(-self.score[order], -self.false_score, side="left")
        truths = np.bincount(self.image, minlength=len(self.annotated))
        return RankedHits.build(self.image[order], self.false_image, rank, truths)


class Fractions(NamedTuple):
    """At one threshold; each (...).

    Attributes:
        lesions: LLF, part of the lesions that is found; NaN without lesions.
        non_lesions: NLF, false positives an image.
    """

    lesions: Array
    non_lesions: Array


def lesion_hits(
    detected: Sequence[Detections], boxes: Truth, box_labels: TruthLabels, rule: str = "iou", iou: float = 0.4
) -> LesionHits:
    """Find out which detections hit which lesions, each class by itself.

    Args:
        detected: detections of N images.
        boxes: true boxes of each; None = not annotated.
        box_labels: their class indices.
        rule: ``iou`` or ``centre``; the centre must lie in x0 <= x < x1 and y0 <= y < y1.
        iou: smallest overlap of the rule ``iou``.

    Raises:
        ValueError: an unknown rule, and what :func:`annotated_images` raises.
    """
    if rule not in HIT_RULES:
        raise ValueError(f"unknown rule {rule!r}; choose one of {', '.join(HIT_RULES)}")
    annotated = np.zeros(len(boxes))
    lesions, false = [], []
    for image in annotated_images(detected, boxes, box_labels):
        annotated[image.place] = 1
        hit = pairwise_iou(image.boxes, image.truth) >= iou if rule == "iou" else _inside(image.boxes, image.truth)
        hit &= image.classes[:, None] == image.truth_classes[None]
        best = np.where(hit, image.scores[:, None], -np.inf).max(0, initial=-np.inf)
        lesions.append((np.full(len(best), image.place), image.truth_classes, best))
        missed = ~hit.any(1)
        false.append((np.full(missed.sum(), image.place), image.classes[missed], image.scores[missed]))
    return LesionHits(annotated, *_columns(lesions), *_columns(false))


def froc_sensitivity(hits: LesionHits, rates: Sequence[float] = FROC_RATES, weights: ArrayLike | None = None) -> Array:
    """Sensitivity at the lowest threshold that stays within a number of false positives an image.

    Nothing is interpolated: every figure is an operating point.

    Args:
        hits: of one class, or pooled.
        rates: K allowed numbers of false positives an image.
        weights: (..., N), one per image; default 1.

    Returns:
        (..., K); NaN without lesions. The FROC score is the mean over :data:`FROC_RATES`.

    Example:
        >>> found = Detections(np.array([[0, 0, 4, 4], [8, 8, 9, 9]]), np.array([0.9, 0.5]), np.array([0, 0]))
        >>> hits = lesion_hits([found], boxes=[[[0, 0, 4, 4], [20, 20, 24, 24]]], box_labels=[[0, 0]])
        >>> froc_sensitivity(hits, rates=[0.5]).tolist()  # one of two lesions, no false positive above it
        [0.5]
    """
    weight, above, total = hits.ranked().weighted(weights)
    w = np.ones(len(hits.annotated)) if weights is None else np.asarray(weights, dtype=np.float64)
    allowed = (w @ hits.annotated)[..., None] * np.asarray(rates) + 1e-9
    found = np.stack([(weight * (above <= allowed[..., [k]])).sum(-1) for k in range(len(rates))], axis=-1)
    return np.divide(found, total[..., None], out=np.full(found.shape, np.nan), where=total[..., None] > 0)


def froc_curve(hits: LesionHits) -> tuple[Array, Array, Array]:
    """Every operating point, for a plot.

    Args:
        hits: of one class, or pooled.

    Returns:
        False positives an image, sensitivity, and threshold, each (Q,) from the highest threshold down.
    """
    found, false = np.sort(hits.score[np.isfinite(hits.score)]), np.sort(hits.false_score)
    thresholds = np.unique(np.concatenate((found, false)))[::-1]
    n_found, n_false = (len(s) - np.searchsorted(s, thresholds, side="left") for s in (found, false))
    lesions, images = np.full(n_found.shape, float(len(hits.score))), np.full(n_false.shape, hits.annotated.sum())
    return _divide(n_false, images), _divide(n_found, lesions), thresholds


def lesion_fractions(hits: LesionHits, threshold: float, weights: ArrayLike | None = None) -> Fractions:
    """Lesion and non-lesion localisation fractions (LLF, NLF) at one threshold.

    Args:
        hits: of one class, or pooled.
        threshold: detections that score as much or more count.
        weights: (..., N), one per image; default 1.
    """
    n = len(hits.annotated)
    w = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    found, lesions = (w @ np.bincount(i, minlength=n) for i in (hits.image[hits.score >= threshold], hits.image))
    false, images = w @ np.bincount(hits.false_image[hits.false_score >= threshold], minlength=n), w @ hits.annotated
    return Fractions(_divide(found, lesions), _divide(false, images))


def _inside(boxes: Array, truth: Array) -> NDArray[np.bool_]:
    centre = (boxes[:, None, :2] + boxes[:, None, 2:]) / 2
    inside = (truth[None, :, :2] <= centre) & (centre < truth[None, :, 2:])
    return inside[..., 0] & inside[..., 1]


def _columns(rows: list[tuple]) -> tuple:
    kinds = (np.int64, np.int64, np.float64)
    return tuple(
        np.concatenate([np.zeros(0, kind), *(row[k] for row in rows)]).astype(kind) for k, kind in enumerate(kinds)
    )


def _divide(part: ArrayLike, whole: ArrayLike) -> Array:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
