"""What box metrics are computed from: detections of each image, and true boxes.

Boxes are (n, 4) xyxy, half-open, detections and truth in the same pixels. True boxes are given as the datalist has
them: None = not annotated, and the image is left out of every figure; an empty list = annotated, none found, and every
detection there is a false positive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from cxr_common.boxes import Detections, as_boxes

Array = NDArray[np.float64]
Truth = Sequence[ArrayLike | None]
TruthLabels = Sequence[Sequence[int] | None]


class AnnotatedImage(NamedTuple):
    """One image with its detections and truth as arrays; ``place`` is its index in the lists they came from."""

    place: int
    boxes: Array
    scores: Array
    classes: NDArray[np.int64]
    truth: Array
    truth_classes: NDArray[np.int64]


def annotated_images(detected: Sequence[Detections], boxes: Truth, box_labels: TruthLabels) -> Iterator[AnnotatedImage]:
    """The images whose boxes are annotated.

    Raises:
        ValueError: lists of different lengths, or a score that is not a number.
    """
    for place, (found, true, names) in enumerate(zip(detected, boxes, box_labels, strict=True)):
        if true is None:
            continue
        image = AnnotatedImage(
            place,
            as_boxes(found.boxes),
            np.asarray(found.scores, dtype=np.float64).reshape(-1),
            np.asarray(found.labels, dtype=np.int64).reshape(-1),
            as_boxes(true),
            np.asarray(names if names is not None else [], dtype=np.int64).reshape(-1),
        )
        if not len(image.boxes) == len(image.scores) == len(image.classes) or np.isnan(image.scores).any():
            raise ValueError(f"image {place}: every detection needs a box, a score and a class")
        if len(image.truth) != len(image.truth_classes):
            raise ValueError(f"image {place} has {len(image.truth)} boxes and {len(image.truth_classes)} box labels")
        yield image


def of_known_classes(
    detected: Sequence[Detections], boxes: Truth, box_labels: TruthLabels, known: ArrayLike
) -> tuple[list[Detections], list[ArrayLike | None], list[list[int] | None]]:
    """Detections and true boxes of the classes that are annotated with boxes, image by image.

    What is found of another class is neither a hit nor a false positive.

    Args:
        detected: detections of N images.
        boxes: true boxes of each.
        box_labels: their class indices.
        known: (N, C) whether an image is annotated with boxes of a class; an image of none counts as not annotated.
    """
    out: tuple[list[Detections], list[ArrayLike | None], list[list[int] | None]] = ([], [], [])
    for found, true, names, own in zip(detected, boxes, box_labels, np.asarray(known, dtype=bool), strict=True):
        keep = own[np.asarray(found.labels, dtype=np.int64).reshape(-1)]
        out[0].append(Detections(*(np.asarray(part)[keep] for part in found)))
        if true is None or not own.any():
            out[1].append(None)
            out[2].append(None)
            continue
        kept = [n for n, c in enumerate(names or ()) if own[c]]
        out[1].append(as_boxes(true)[kept])
        out[2].append([int((names or ())[n]) for n in kept])
    return out


def box_image_scores(detected: Sequence[Detections], num_classes: int) -> Array:
    """Image-level scores of a detector: the best box of each class (published code: the mean over boxes).

    Args:
        detected: detections of N images, scores not negative.
        num_classes: C.

    Returns:
        (N, C) for :func:`~cxr_common.metrics.auroc`; 0 where no box of the class was found.

    Example:
        >>> found = Detections(np.zeros((2, 4)), np.array([0.9, 0.5]), np.array([1, 1]))
        >>> box_image_scores([found], num_classes=3).tolist()
        [[0.0, 0.9, 0.0]]
    """
    scores = np.zeros((len(detected), num_classes))
    for n, found in enumerate(detected):
        np.maximum.at(scores[n], np.asarray(found.labels, dtype=np.int64), np.asarray(found.scores, dtype=np.float64))
    return scores


@dataclass(frozen=True)
class RankedHits:
    """True boxes that were found, best score first, and the false positives ranked above each.

    That is all that AP and FROC need, and it is matched once: a bootstrap replicate only weighs it anew.

    Attributes:
        image: (P,) image of each hit.
        above: (N, P) sparse; false positives of image n between hit i - 1 and hit i.
        truths: (N,) true boxes of each image.
    """

    image: NDArray[np.int64]
    above: sparse.csr_matrix
    truths: Array

    @classmethod
    def build(cls, image: ArrayLike, false_image: ArrayLike, false_rank: ArrayLike, truths: ArrayLike) -> RankedHits:
        """Gather.

        Args:
            image: (P,) image of each hit, best first.
            false_image: (F,) image of each false positive.
            false_rank: (F,) how many hits are ranked above it.
            truths: (N,).
        """
        hits, total = np.asarray(image, dtype=np.int64), np.asarray(truths, dtype=np.float64)
        where, rank = np.asarray(false_image, dtype=np.int64), np.asarray(false_rank, dtype=np.int64)
        counted = rank < len(hits)  # what comes after the last hit changes nothing
        cells = (np.ones(counted.sum()), (where[counted], rank[counted]))
        return cls(hits, sparse.csr_matrix(cells, shape=(len(total), len(hits))), total)

    def weighted(self, weights: ArrayLike | None = None) -> tuple[Array, Array, Array]:
        """Weigh images.

        Args:
            weights: (..., N), such as the counts of bootstrap replicates; default 1.

        Returns:
            Weight of each hit (..., P), of the false positives above it (..., P), and of all true boxes (...).
        """
        w = np.ones(len(self.truths)) if weights is None else np.asarray(weights, dtype=np.float64)
        rows = w.reshape(math.prod(w.shape[:-1]), w.shape[-1])
        above = np.asarray(self.above.T.dot(rows.T)).T.reshape(*w.shape[:-1], len(self.image))
        return w[..., self.image], above.cumsum(-1), w @ self.truths
