"""Ignite handler that keeps the IoU of an epoch's masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from monai.metrics import CumulativeIterationMetric

from cxr_common.errors import InputError
from cxr_common.heatmaps import upsample_heatmaps
from cxr_common.metrics.classification import macro_average
from cxr_common.metrics.handlers import PerClassHandler, collected
from cxr_common.metrics.mask_counts import PROBABILITY_GRID, MaskCounts, dataset_iou, threshold_counts


class MaskIoUMetric(CumulativeIterationMetric):
    """Collects pixel counts (N, 3, T, C); see :class:`MaskIoU` for the arguments."""

    def __init__(self, thresholds: Sequence[float], averaged: Sequence[int] | None) -> None:
        super().__init__()
        self.thresholds, self.averaged = tuple(thresholds), averaged

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("masks are needed")
        heatmaps = upsample_heatmaps(torch.as_tensor(y_pred).detach(), y.shape[-2:]).cpu().numpy()
        masks = torch.as_tensor(y).cpu().numpy()
        truth = [[None if np.isnan(mask).any() else mask > 0.5 for mask in image] for image in masks]
        counts = threshold_counts(heatmaps, truth, self.thresholds)
        rows = np.stack((counts.intersection, counts.predicted, counts.true)).transpose(2, 0, 1, 3)
        return torch.from_numpy(np.ascontiguousarray(rows)).to(y_pred.device)

    def aggregate(self) -> tuple[float, list[float]]:
        """The average over the chosen classes and the value of each class, over all that was collected."""
        rows = collected(self).cpu().numpy()
        iou = dataset_iou(MaskCounts(*rows.transpose(1, 2, 0, 3)))
        best = np.fmax.reduce(iou, axis=0)
        return float(macro_average(best if self.averaged is None else best[list(self.averaged)])), best.tolist()


class MaskIoU(PerClassHandler):
    """IoU of the data set in an epoch, each class at the threshold that suits it best (CheXseg's validation).

    Args:
        labels: class names; each class goes to ``state.metrics["<name>_<label>"]`` too.
        averaged: names of the classes that are averaged; None averages all that are defined. CheXseg chose its
            checkpoints by Enlarged Cardiomediastinum, Support Devices, Cardiomegaly and Atelectasis, the common ones of
            its 40 images.
        thresholds: rising probabilities that are tried.
        output_transform: engine output to (logit maps (N, C, x, y), masks (N, C, X, Y)), or lists of these without N,
            such as ``monai.handlers.from_engine(["pred", "label"])``. A mask with a NaN is not annotated and left out.

    ``state.metrics[name]`` is NaN where no class is annotated; ``state.metric_details[name]`` is (1, C).

    Raises:
        InputError: `averaged` names a class that `labels` lacks.
    """

    def __init__(
        self,
        labels: Sequence[str],
        averaged: Sequence[str] | None = None,
        thresholds: Sequence[float] = PROBABILITY_GRID,
        output_transform: Callable = lambda x: x,
    ) -> None:
        unknown = [name for name in averaged or () if name not in labels]
        if unknown:
            raise InputError(f"there are no classes {', '.join(unknown)}", "MaskIoU: averaged", "use names of labels")
        indices = None if averaged is None else [list(labels).index(name) for name in averaged]
        super().__init__(MaskIoUMetric(thresholds, indices), labels, output_transform)
