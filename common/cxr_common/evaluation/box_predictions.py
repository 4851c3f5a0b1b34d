"""Predictions of networks that give boxes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cxr_common.boxes import Detections
from cxr_common.data.datalist import boxed_classes
from cxr_common.evaluation.predictions import Predictions


@dataclass(kw_only=True)
class BoxPredictions(Predictions):
    """What a detector says: boxes, and logits of the classes.

    Attributes:
        rows: (N, K, 6) x0, y0, x1, y1, score, class in network-input pixels, by falling score; class -1 is no box.
        logits: (N, C) class logits of the image-level head.
    """

    by_image = (*Predictions.by_image, "rows", "logits")

    rows: np.ndarray
    logits: np.ndarray

    @property
    def detections(self) -> list[Detections]:
        """Detections of each image in network-input pixels, which COCO's object sizes suit."""
        kept = [rows[rows[:, 5] >= 0].astype(np.float64) for rows in self.rows]
        return [Detections(rows[:, :4], rows[:, 4], rows[:, 5].astype(int)) for rows in kept]

    @property
    def known(self) -> np.ndarray:
        """(N, C) whether an image is annotated with boxes of a class, by the rule of training."""
        none = [False] * len(self.labels)
        pairs = zip(self.items, self.label, strict=True)
        return np.array(
            [none if i.get("boxes") is None else boxed_classes(v, i["box_labels"], len(none)) for i, v in pairs]
        )
