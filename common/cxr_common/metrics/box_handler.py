"""Ignite handler that keeps the average precision of an epoch's detections."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from monai.metrics import Cumulative

from cxr_common.metrics.classification import macro_average
from cxr_common.metrics.coco import average_precisions, coco_hits
from cxr_common.metrics.handlers import PerClassHandler, collected
from cxr_common.metrics.ranked_boxes import Detections, of_known_classes


class BoxPrecisionMetric(Cumulative):
    """Collects detections and true boxes; see :class:`BoxPrecision` for the arguments."""

    def __init__(self, levels: Sequence[float], num_classes: int) -> None:
        super().__init__()
        self.levels, self.num_classes = tuple(levels), num_classes

    def aggregate(self) -> tuple[float, list[float]]:
        """The average and the value of each class, over all that was collected."""
        rows, boxes, known = (part.double().cpu().numpy() for part in collected(self))
        found, true = [r[r[:, 5] >= 0] for r in rows], [b[b[:, 4] >= 0] for b in boxes]  # others are padding
        detected = [Detections(r[:, :4], r[:, 4], r[:, 5].astype(int)) for r in found]
        names = [b[:, 4].astype(int).tolist() for b in true]
        annotated = of_known_classes(detected, [b[:, :4] for b in true], names, known != 0)
        hits = coco_hits(*annotated, self.num_classes, self.levels)
        precision = average_precisions(hits).mean(0)
        return float(macro_average(precision)), precision.tolist()


class BoxPrecision(PerClassHandler):
    """COCO's average precision of an epoch, over the images that are annotated with boxes.

    Args:
        labels: class names; each class goes to ``state.metrics["<name>_<label>"]`` too.
        levels: IoU levels that are averaged; [0.4] is AP40.
        pred_key: key in ``engine.state.output`` of what :class:`~cxr_common.detection.DetectionInferer` gives.
        boxes_key: key in ``engine.state.batch`` of the boxes (N, M, 5), as ``EncodeBoxTargetsd`` makes them.
        known_key: and of which classes are annotated with boxes, (N, C).

    ``state.metrics[name]`` is the mean over the classes that have a true box, NaN where none has;
    ``state.metric_details[name]`` is (1, C).
    """

    def __init__(
        self,
        labels: Sequence[str],
        levels: Sequence[float] = (0.4,),
        pred_key: str = "pred",
        boxes_key: str = "boxes",
        known_key: str = "box_known",
    ) -> None:
        super().__init__(BoxPrecisionMetric(levels, len(labels)), labels, lambda output: output)
        self.pred_key, self.truth_keys = pred_key, (boxes_key, known_key)

    def iteration_completed(self, engine: Any) -> None:
        """Take the detections from the engine's output, and the boxes from its batch."""
        rows = torch.as_tensor(engine.state.output[self.pred_key]["detections"])
        truth = [torch.as_tensor(engine.state.batch[key]).to(rows) for key in self.truth_keys]
        self.metric_fn.extend(rows, *truth)
