"""Ignite handler that keeps the IoU of an epoch's label maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from monai.metrics import CumulativeIterationMetric

from cxr_common.metrics.classification import macro_average
from cxr_common.metrics.handlers import PerClassHandler, collected
from cxr_common.metrics.label_maps import label_map_counts
from cxr_common.metrics.mask_counts import MaskCounts, dataset_iou


class LabelMapIoUMetric(CumulativeIterationMetric):
    """Collects pixel counts (N, 3, K + 1); see :class:`LabelMapIoU`."""

    def _compute_tensor(self, y_pred: torch.Tensor, y: torch.Tensor | None = None, **kwargs: Any) -> torch.Tensor:
        if y is None:
            raise ValueError("label maps are needed")
        maps = torch.as_tensor(y_pred)
        counts = label_map_counts(maps.argmax(1).cpu().numpy(), torch.as_tensor(y).cpu().numpy(), maps.shape[1] - 1)
        rows = np.stack((counts.intersection, counts.predicted, counts.true), axis=1)
        return torch.from_numpy(rows).to(maps.device)

    def aggregate(self) -> tuple[float, list[float]]:
        """The mean over the classes that occur, and the value of each class, over all that was collected."""
        rows = collected(self).cpu().numpy()
        iou = dataset_iou(MaskCounts(*rows.swapaxes(0, 1)))
        return float(macro_average(iou)), iou.tolist()


class LabelMapIoU(PerClassHandler):
    """VOC's mIoU of an epoch at the network's resolution; void pixels (255) do not count.

    Args:
        labels: K class names; each class, and the background, goes to ``state.metrics["<name>_<label>"]`` too.
        output_transform: engine output to (logit maps (N, K + 1, X, Y), label maps (N, X, Y)), such as
            ``monai.handlers.from_engine(["pred", "label"])``.
    """

    def __init__(self, labels: Sequence[str], output_transform: Callable = lambda x: x) -> None:
        super().__init__(LabelMapIoUMetric(), ["background", *labels], output_transform)
