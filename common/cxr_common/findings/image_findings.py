"""The findings of one image: from heatmaps and decisions to points, boxes and masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from cxr_common.findings.extraction import MIN_PEAK, extract_mask, peak_points
from cxr_common.findings.thresholds import Thresholds


def image_findings(
    heatmap: torch.Tensor,
    probability: Sequence[float],
    decision: Sequence[bool],
    thresholds: Thresholds,
    size: tuple[int, int],
    min_area: float,
    min_peak: float = MIN_PEAK,
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray], np.ndarray]:
    """Extract what docs/reference/findings.md calls the findings of an image.

    Args:
        heatmap: (C, X, Y) in [0, 1] at network resolution, covering the whole image.
        probability: of each of the C classes.
        decision: whether each class is present; masks and boxes are of those.
        thresholds: class names and mask thresholds.
        size: (width, height) of the original image.
        min_area: regions of fewer network pixels are dropped.
        min_peak: so are those whose largest value is below this part of the map's.

    Returns:
        The findings, one per class, as plain values; class -> bool mask (width, height) of the classes present; and one
        uint8 label mask (width, height), where the class with the higher probability wins.
    """
    labels = thresholds.labels
    findings, masks, points = [], {}, peak_points(heatmap, size)
    for index, label in enumerate(labels):
        regions: list = []
        if decision[index]:
            masks[label], regions = extract_mask(
                heatmap[index], size, thresholds.mask[label], thresholds.mask_mode, min_area, min_peak
            )
        findings.append(
            {
                "label": label,
                "probability": round(probability[index], 6),
                "threshold": thresholds.decision[label],
                "decision": bool(decision[index]),
                "point": [round(value, 2) for value in points[index]],
                "boxes": [{"box": list(region.box), "score": round(region.score, 6)} for region in regions],
            }
        )
    label_mask = np.zeros(size, np.uint8)
    for label in sorted(masks, key=lambda name: probability[labels.index(name)]):
        label_mask[masks[label]] = labels.index(label) + 1
    return findings, masks, label_mask
