"""Figures of a detector as functions of image weights, which is what a bootstrap draws."""

from __future__ import annotations

from collections.abc import Sequence
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
    LesionHits,
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

#: Averages by their names -> the IoU levels that are averaged.
PRECISIONS: dict[str, tuple[float, ...]] = {"AP40": (0.4,), "AP50": (0.5,), "AP": IOU_LEVELS}


@dataclass(frozen=True)
class DetectorFigures:
    """Average precision, FROC and AUROC of what a detector says.

    Precision and FROC look at the classes that an image is annotated with boxes of, by the rule of training
    (:func:`~cxr_common.data.datalist.boxed_classes`): where a label says that a class is present and it has no box,
    what is found of it is neither a hit nor a false positive. AUROC looks at all boxes: the image's label is the
    truth there.

    Attributes:
        found: what it says.
        skip: a class that is not scored.
        rates: false positives per image that FROC is the mean over.
    """

    found: BoxPredictions
    skip: str | None = None
    rates: Sequence[float] = FROC_RATES

    @cached_property
    def _kept(self) -> np.ndarray:
        return np.array([name != self.skip for name in self.found.labels])

    @cached_property
    def _scored(self) -> tuple[list[Detections], list[Any], list[Any]]:
        return of_known_classes(self.found.detections, *self.found.boxes(), self.found.known & self._kept)

    @cached_property
    def _hits(self) -> list:
        detected, boxes, classes = self._scored
        return coco_hits(detected, boxes, classes, len(self.found.labels))

    @cached_property
    def _lesions(self) -> LesionHits:
        return lesion_hits(*self._scored, "iou", HIT_IOU)

    def boxes(self) -> dict[str, int]:
        """Class -> number of true boxes."""
        labels = self.found.labels
        classes = [c for names in self._scored[2] for c in names or ()]
        return dict(zip(labels, np.bincount(classes, minlength=len(labels)).tolist(), strict=True))

    def statistic(self, name: str, of: str = "macro") -> Statistic:
        """A figure as a function of image weights.

        Args:
            name: one of :data:`PRECISIONS`; "FROC": sensitivity at so many false positives per image, all classes
                together; "AUROC" by an image's best box; "AUROC, global head".
            of: "macro": the mean over classes, of FROC over the rates; else a class, of FROC a rate, such as "0.25".
        """
        if name == "FROC":
            rates, lesions = self.rates if of == "macro" else [float(of)], self._lesions
            return lambda w: froc_sensitivity(lesions, rates, w).mean(-1)
        classes = range(len(self.found.labels)) if of == "macro" else [self.found.labels.index(of)]
        if name in PRECISIONS:
            levels = [self._hits[IOU_LEVELS.index(level)] for level in PRECISIONS[name]]
            hits = [[level[c] for c in classes] for level in levels]
            return lambda w: macro_average(average_precisions(hits, w).mean(-2))
        scores = self.found.logits if name != "AUROC" else box_image_scores(self.found.detections, len(self._kept))
        label = np.where(self._kept, self.found.label, np.nan)
        return label_statistic(auroc, scores[:, classes], label[:, classes])
