"""Per-class thresholds from validation data, of the classes that the data can tune."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import stats

from cxr_common.errors import InputError
from cxr_common.findings.extraction import extract_mask
from cxr_common.findings.thresholds import DEFAULT_DECISION
from cxr_common.metrics.mask_counts import PROBABILITY_GRID, MaskCounts, dataset_iou

#: Parts of a heatmap's maximum that are tried as mask thresholds; low ones too, for max pooling makes peaked maps.
MASK_GRID: tuple[float, ...] = (0.005, 0.01, 0.02, 0.03, 0.05, 0.07, *np.round(np.arange(0.1, 0.95, 0.05), 2).tolist())
#: Fewest images with the class that its thresholds are tuned on.
MIN_IMAGES = 5
#: Fewest images with and without a class that can show that it is not learned.
MIN_UNLEARNED = 20


def check_tuned(images: int, needs: str, *tuned: Mapping[str, float]) -> None:
    """Refuse data of which no threshold of any class can be tuned: a file that says it was tuned on them would mislead.

    Args:
        images: their number.
        needs: what a class needs, in words.
        tuned: what was tuned, class -> threshold.

    Raises:
        InputError: nothing was tuned.
    """
    if not any(tuned):
        reason = f"no class of its {images} image{'s' if images != 1 else ''} can be tuned: {needs}"
        raise InputError(reason, "datalist", "annotate more images, or choose another --section")


def tune_decision_thresholds(
    probabilities: ArrayLike, label: ArrayLike, labels: Sequence[str], significance: float = 0.01
) -> dict[str, float]:
    """The threshold with the largest Youden index, sensitivity + specificity - 1, of each class.

    It does not depend on the prevalence, which differs between a validation set and the clinic. The threshold lies half
    way between the two scores that it parts; of equal indices the most specific threshold is taken.

    Args:
        probabilities: (N, C).
        label: (N, C); 1 and 0 count, others (uncertain, not annotated) do not.
        labels: C class names.
        significance: largest p of the one-sided Kolmogorov-Smirnov test (its statistic is the Youden index) at which a
            class counts as learned. The best threshold of a class at chance would only raise false alarms.

    Returns:
        Class -> threshold, the default of those not learned, without classes that have fewer than :data:`MIN_IMAGES`
        present or absent images, or fewer than :data:`MIN_UNLEARNED` and a best threshold that may be chance.
    """
    scores, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(label, dtype=np.float64)
    thresholds: dict[str, float] = {}
    for c, name in enumerate(labels):
        present, absent = np.sort(scores[truth[:, c] == 1, c]), np.sort(scores[truth[:, c] == 0, c])
        if min(len(present), len(absent)) < MIN_IMAGES:
            continue
        if stats.ks_2samp(present, absent, alternative="less").pvalue > significance:
            if min(len(present), len(absent)) >= MIN_UNLEARNED:
                thresholds[name] = DEFAULT_DECISION
            continue
        values = np.unique(np.concatenate((present, absent)))
        cuts = np.concatenate(([values[0]], (values[:-1] + values[1:]) / 2))
        sensitivity = 1 - np.searchsorted(present, cuts, side="left") / len(present)
        specificity = np.searchsorted(absent, cuts, side="left") / len(absent)
        index = sensitivity + specificity
        thresholds[name] = float(cuts[np.flatnonzero(np.isclose(index, index.max(), atol=1e-12))[-1]])
    return thresholds


def box_set_iou(a: ArrayLike, b: ArrayLike, size: tuple[int, int]) -> float:
    """Intersection over union of the areas that two sets of boxes cover.

    Args:
        a: (n, 4) xyxy half-open pixels.
        b: (m, 4) in the same pixels.
        size: (width, height) of the image; boxes are rounded to its pixels.

    Returns:
        In [0, 1]; 1 where both sets are empty.
    """
    covered = []
    for boxes in (a, b):
        area = np.zeros(size, dtype=bool)
        for x0, y0, x1, y1 in np.rint(np.asarray(boxes, dtype=np.float64).reshape(-1, 4)).astype(int).clip(0):
            area[x0:x1, y0:y1] = True
        covered.append(area)
    union = (covered[0] | covered[1]).sum()
    return float((covered[0] & covered[1]).sum() / union) if union else 1.0


def tune_mask_thresholds(
    heatmaps: Iterable[torch.Tensor],
    boxes: Sequence[ArrayLike | None],
    box_labels: Sequence[Sequence[int] | None],
    labels: Sequence[str],
    grid: Sequence[float] = MASK_GRID,
) -> dict[str, float]:
    """The part of a heatmap's maximum whose regions' boxes cover the true boxes best, of each class.

    Args:
        heatmaps: per image (C, X, Y) probabilities at network-input size; a tensor (N, C, X, Y) will do.
        boxes: per image (n, 4) xyxy in the same pixels; None = not annotated.
        box_labels: per image n class indices.
        labels: C class names.
        grid: thresholds tried.

    Returns:
        Class -> threshold with the largest mean :func:`box_set_iou` over the images that have a box of the class (the
        lower of equals), without classes of which fewer than :data:`MIN_IMAGES` have.
    """
    scores: dict[int, list[list[float]]] = {c: [] for c in range(len(labels))}
    for maps, image_boxes, classes in zip(heatmaps, boxes, box_labels, strict=True):
        if image_boxes is None or not len(classes or ()):
            continue
        size = (int(maps.shape[-2]), int(maps.shape[-1]))
        truth, names = np.asarray(image_boxes, dtype=np.float64), np.asarray(classes)
        for c in np.unique(names):
            found = [[r.box for r in extract_mask(maps[c], size, t, "relative")[1]] for t in grid]
            scores[int(c)].append([box_set_iou(f, truth[names == c], size) for f in found])
    return {
        name: float(grid[int(np.mean(scores[c], axis=0).argmax())])
        for c, name in enumerate(labels)
        if len(scores[c]) >= MIN_IMAGES
    }


def tune_probability_thresholds(
    counts: MaskCounts,
    labels: Sequence[str],
    grid: Sequence[float] = PROBABILITY_GRID,
    min_images: int = MIN_IMAGES,
) -> dict[str, float]:
    """The probability above which pixels make the masks with the largest IoU of the data set, of each class (CheXseg).

    Args:
        counts: (T, N, C), of :func:`cxr_common.metrics.threshold_counts` over the grid.
        labels: C class names.
        grid: the T thresholds.
        min_images: fewest images that have the class.

    Returns:
        Class -> threshold (the lowest of equals), without classes that fewer images have.
    """
    iou = np.nan_to_num(dataset_iou(counts))
    images = (counts.true[0] > 0).sum(0)
    return {name: float(grid[int(iou[:, c].argmax())]) for c, name in enumerate(labels) if images[c] >= min_images}
