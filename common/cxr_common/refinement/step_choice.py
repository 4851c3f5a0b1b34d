"""Refined heatmaps of a data set, and how far each class's may spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from monai.data import Dataset
from torch import nn

from cxr_common.evaluation.mask_scores import counts_at_thresholds
from cxr_common.findings.tuning import MIN_IMAGES
from cxr_common.findings.walk import WSMIS, Walk
from cxr_common.metrics import dataset_iou
from cxr_common.metrics.mask_counts import PROBABILITY_GRID
from cxr_common.refinement.boundaries import Boundaries, RefinedMaps, predict_boundaries
from cxr_common.refinement.class_walks import When
from cxr_common.refinement.inferer import RelationInferer


def predict_refined(
    network: nn.Module | None,
    dataset: Dataset,
    labels: list[str],
    device: torch.device | str = "cpu",
    walk: Walk = WSMIS,
    batch_size: int = 16,
    inferer: RelationInferer | None = None,
    gated: When | None = None,
) -> RefinedMaps:
    """Refine the heatmaps of a data set, separately for each finding that an image is said to have.

    Arguments are those of :func:`predict_boundaries`, the walk, and when lung gates act; the result is that of
    :meth:`Boundaries.refined`.
    """
    seen = predict_boundaries(network, dataset, labels, device, batch_size, inferer)
    return replace(seen, gated=gated).refined(walk)


def choose_steps(boundaries: Boundaries, walk: Walk, candidates: Sequence[int], margin: float = 0.01) -> Walk:
    """The number of steps of each class whose masks have the largest IoU of the data set.

    Args:
        boundaries: of images with masks, which no score may be computed on afterwards.
        walk: its radius and beta are kept; its steps too where fewer than :data:`MIN_IMAGES` have the class.
        candidates: numbers of steps; 0 leaves a heatmap as it is except for what lies on a boundary. Each is tried with
            every threshold.
        margin: the fewest steps within this of the largest IoU are taken, so that chance carries no heatmap far: of a
            class that no localiser found all IoU are near 0.
    """
    tried, images = sorted(set(candidates)), np.zeros(len(boundaries.labels))
    best = np.zeros((len(tried), len(boundaries.labels)))
    for i, n in enumerate(tried):
        counts = counts_at_thresholds(boundaries.refined(replace(walk, steps=n)), PROBABILITY_GRID)
        best[i], images = np.nan_to_num(dataset_iou(counts)).max(0), (counts.true[0] > 0).sum(0)
    steps = dict(zip(boundaries.labels, walk.steps_of(boundaries.labels), strict=True))
    for c, name in enumerate(boundaries.labels):
        if images[c] >= MIN_IMAGES:
            steps[name] = tried[int((best[:, c] >= best[:, c].max() - margin).argmax())]
    return replace(walk, steps=steps)
