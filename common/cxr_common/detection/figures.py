"""Figures of a detector as functions of image weights, which is what a bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cxr_common.detection.scoring import HIT_IOU
from cxr_common.evaluation.box_predictions import BoxPredictions
from cxr_common.metrics import (
    FROC_RATES,
    IOU_LEVELS,
    Detections,
    auroc,
    average_precisions,
    box_image_scores,
    coco_hits,
    froc_sensitivity,
    lesion_hits,
    macro_average,
)
from cxr_common.metrics.bootstrap import Statistic
from cxr_common.metrics.ranked_boxes import of_known_classes
from cxr_common.metrics.statistics import label_statistic


@dataclass(frozen=True)
class DetectorFigures:
    """AP40, AP, FROC and AUROC of what a detector says.

    Attributes:
        found: what it says.
        skip: a class that is not scored.
    """

    found: BoxPredictions
    skip: str | None = None

    @cached_property
    def _kept(self) -> np.ndarray:
        return np.array([name != self.skip for name in self.found.labels])

    @cached_property
    def _scored(self) -> tuple[list[Detections], list[Any], list[Any]]:
        known = np.tile(self._kept, (len(self.found.items), 1))
        return of_known_classes(self.found.detections, *self.found.boxes(), known)

    @cached_property
    def _hits(self) -> list:
        detected, boxes, classes = self._scored
        return coco_hits(detected, boxes, classes, len(self.found.labels))

    def boxes(self) -> dict[str, int]:
        """Class -> number of true boxes."""
        labels = self.found.labels
        classes = [c for names in self._scored[2] for c in names or ()]
        return dict(zip(labels, np.bincount(classes, minlength=len(labels)).tolist(), strict=True))

    def statistic(self, name: str, of: str = "macro") -> Statistic:
        """A figure as a function of image weights.

        Args:
            name: "AP40"; "AP" over all of COCO's levels here, .4 to .75; "FROC": mean sensitivity at 1/8 to 8 false
                positives per image; "AUROC" by an image's best box.
            of: a class, of AP40; else the mean over classes, but for FROC.
        """
        if name == "FROC":
            detected, boxes, classes = self._scored
            lesions = lesion_hits(detected, boxes, classes, "iou", HIT_IOU)
            return lambda w: froc_sensitivity(lesions, FROC_RATES, w).mean(-1)
        if name == "AUROC":
            scores = box_image_scores(self._scored[0], len(self.found.labels))
            return label_statistic(auroc, scores, np.where(self._kept, self.found.label, np.nan))
        hits = self._hits if name == "AP" else [self._hits[IOU_LEVELS.index(0.4)]]
        if of != "macro":
            one = [[hits[0][self.found.labels.index(of)]]]
            return lambda w: average_precisions(one, w)[..., 0, 0]
        return lambda w: macro_average(average_precisions(hits, w).mean(-2))
