"""What trained detectors did on the test images: their boxes, and scores of image labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cxr_common.evaluation import BoxPredictions
from cxr_common.labels import LABELS
from cxr_common.metrics import box_image_scores
from tools.results.data import Items
from tools.results.outcomes import Arrays, Outcome, arrays_of

#: Best boxes of an image that are kept, and so scored.
MOST_BOXES = 50


@dataclass(frozen=True)
class BoxOutcome(Outcome):
    """What one network did.

    Attributes:
        boxes: its boxes on the images that have true ones.
        scores: (N, C) best score of a box of each class, on the images that have labels alone; (0, C) without any.
        logits: (N, C) of the image-level head there.
    """

    boxes: BoxPredictions
    scores: np.ndarray
    logits: np.ndarray


def pack_boxes(found: Mapping[str, BoxPredictions]) -> Arrays:
    """What is kept of detections on the test sets "boxes" and, where it is there, "nih"; half precision is scored."""
    boxes, nih = found["boxes"], found.get("nih")
    of_labels = (
        {}
        if nih is None
        else {
            "nih/scores": box_image_scores(nih.detections, len(LABELS)).astype(np.float32),
            "nih/logits": nih.logits.astype(np.float32),
        }
    )
    return {
        "boxes/rows": boxes.rows[:, :MOST_BOXES].astype(np.float16),
        "boxes/sizes": boxes.sizes,
        "boxes/input_size": np.array(boxes.input_size),
        "boxes/label": boxes.label.astype(np.float32),
        "boxes/logits": boxes.logits.astype(np.float32),
        **of_labels,
    }


def unpack_boxes(about: dict[str, Any], arrays: Arrays, boxed: Items) -> BoxOutcome:
    """What :func:`pack_boxes` made, read again; `boxed` are the images of "boxes"."""
    own, labelled = arrays_of(arrays, "boxes"), arrays_of(arrays, "nih")
    x, y = own.pop("input_size").tolist()
    rows = own.pop("rows").astype(np.float32)
    boxes = BoxPredictions(labels=list(LABELS), items=boxed, input_size=(x, y), rows=rows, **own)
    none = np.zeros((0, len(LABELS)), np.float32)
    return BoxOutcome(about, boxes, labelled.get("scores", none), labelled.get("logits", none))
