"""Pixel counts of label maps, whose classes do not overlap, by the rule of PASCAL VOC.

VOC's score (Everingham et al., IJCV 2010; VOCevalseg of the development kit) is, for the background and each
class, the true positives over the true positives, false positives and false negatives of the whole data set; pixels
that are void in the true label map do not count, whatever is predicted there. Its mean over all classes, background
included, is the mIoU of the literature: ``dataset_iou(counts).mean()``.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from cxr_common.metrics.mask_counts import MaskCounts


def label_map_counts(
    predicted: Iterable[ArrayLike], truth: Iterable[ArrayLike | None], n_classes: int, void: int = 255
) -> MaskCounts:
    """Count the pixels of predicted and true label maps.

    Args:
        predicted: per image (X, Y) integers: 0 background, i + 1 class i.
        truth: per image the same with void pixels; None = not annotated.
        n_classes: C, besides the background.
        void: the value of true pixels that do not count.

    Returns:
        Counts (N, C + 1), the background first; NaN for an image that is not annotated.

    Raises:
        ValueError: maps of different shapes, or a value that is no class.
    """
    rows = []
    for labels, true in zip(predicted, truth, strict=True):
        if true is None:
            rows.append(np.full((3, n_classes + 1), np.nan))
            continue
        p, t = np.asarray(labels), np.asarray(true)
        if p.shape != t.shape:
            raise ValueError(f"label map {p.shape} and true label map {t.shape} must have the same shape")
        counted = t != void
        p, t = p[counted].astype(np.int64), t[counted].astype(np.int64)
        for values in (p, t):
            if values.size and not 0 <= values.min() <= values.max() <= n_classes:
                raise ValueError(f"label maps must hold 0 to {n_classes}, not {values.min()} to {values.max()}")
        rows.append(np.stack([np.bincount(v, minlength=n_classes + 1) for v in (p[p == t], p, t)]).astype(np.float64))
    return MaskCounts(*np.reshape(rows, (-1, 3, n_classes + 1)).swapaxes(0, 1))
