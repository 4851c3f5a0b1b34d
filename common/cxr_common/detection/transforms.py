"""From a detector's output to findings: boxes with scores and classes, decisions, image-level probabilities."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection

from cxr_common.detection.selection import Detections, original_detections
from cxr_common.errors import InputError
from cxr_common.findings.thresholds import BoxThresholds, ClassThresholds
from cxr_common.findings.thresholds_file import used_thresholds
from cxr_common.transforms.original import Original
from cxr_common.transforms.per_image import ImageFindingsd


class DetectFindingsd(ImageFindingsd):
    """Turn detections into findings in the pixels of the original image. Reads and writes no file when called.

    Per image it takes what :class:`~cxr_common.detection.DetectionInferer` gave under `keys` and the network input
    `image_key` (1, X, Y), whose meta holds the original `spatial_shape`, and sets

    * ``findings_key``: the record docs/reference/findings.md describes, plain Python values. The probability of a class
      is the score of its best box; it is decided present from its threshold on, and its boxes are those that score so.
    * ``box``, ``label``, ``label_scores``: the same boxes as MONAI Label wants them: (n, 6) centre and size in mm of
      the patient (LPS), flat in the third axis, with class indices and scores.

    Args:
        keys: the detector's output.
        image_key: the network input.
        labels: class names in channel order; may be left out where `thresholds` has them.
        thresholds: of boxes or of maps, the path of a thresholds.json, or None for the defaults.
        weights: weights file that a thresholds.json must have been tuned for.
        on_error: "raise", or "record": put ``{"failure": {...}}`` under `findings_key` and go on.
        findings_key: see above.
    """

    def __init__(
        self,
        keys: KeysCollection = "pred",
        image_key: str = "image",
        labels: Sequence[str] | None = None,
        thresholds: ClassThresholds | str | Path | None = None,
        weights: str | Path | None = None,
        on_error: str = "raise",
        findings_key: str = "findings",
    ) -> None:
        super().__init__(keys, image_key, findings_key, on_error)
        self.thresholds = used_thresholds(thresholds, BoxThresholds, type(self).__name__, labels, weights)

    def find(self, item: Mapping[Hashable, Any], key: Hashable) -> dict[Hashable, Any]:
        """The findings of one image."""
        image = item[self.image_key]
        labels, original = self.thresholds.labels, Original.of(image)
        rows = torch.as_tensor(item[key]["detections"]).float()
        logits = torch.as_tensor(item[key]["image_logits"]).float()
        if len(logits) != len(labels):
            action = "make labels and thresholds match the weights"
            raise InputError(f"the network gave {len(logits)} classes for {len(labels)} names", original.where, action)
        original.check_finite(rows, logits)
        found = original_detections(rows, (image.shape[-2], image.shape[-1]), original.size)
        of_image = torch.sigmoid(logits).tolist()
        limit = np.array([self.thresholds.decision[label] for label in labels])
        kept = found.scores >= limit[found.labels]
        present = Detections(found.boxes[kept], found.scores[kept], found.labels[kept])
        return {
            self.findings_key: original.record([self._finding(found, c, of_image[c]) for c in range(len(labels))]),
            "box": slicer_boxes(present.boxes, original.meta.get("original_affine")),
            "label": torch.from_numpy(present.labels),
            "label_scores": torch.from_numpy(present.scores),
        }

    def _finding(self, found: Detections, c: int, of_image: float) -> dict[str, Any]:
        label = self.thresholds.labels[c]
        own = found.labels == c
        boxes, scores = found.boxes[own], found.scores[own]
        threshold = self.thresholds.decision[label]
        best = float(scores[0]) if len(scores) else 0.0
        centre = (boxes[0, :2] + boxes[0, 2:]) / 2 if len(boxes) else None
        return {
            "label": label,
            "probability": round(best, 6),
            "image_probability": round(of_image, 6),
            "threshold": threshold,
            "decision": best >= threshold and len(boxes) > 0,
            "point": None if centre is None else [round(float(value), 2) for value in centre],
            "boxes": [
                {"box": [round(float(value), 2) for value in box], "score": round(float(score), 6)}
                for box, score in zip(boxes, scores, strict=True)
                if score >= threshold
            ],
        }


def slicer_boxes(boxes: np.ndarray, affine: Any = None) -> torch.Tensor:
    """Boxes as MONAI Label passes them on to 3D Slicer, in LPS: six numbers each, for it knows boxes in space only.

    Args:
        boxes: (n, 4) xyxy, half-open pixels; pixel i covers [i, i + 1), and the affine is of pixel centres.
        affine: pixel indices to mm (RAS), (3, 3) or (4, 4); None takes pixels for mm.

    Returns:
        (n, 6) centre x, y, 0 and size, the third 1.
    """
    matrix = np.diag([-1.0, -1.0, 1.0, 1.0]) if affine is None else np.asarray(affine, dtype=np.float64)
    turn, shift = -matrix[:2, :2], -matrix[:2, -1]  # from RAS to LPS
    corners = np.stack((boxes[:, :2] - 0.5, boxes[:, 2:] - 0.5)) @ turn.T + shift
    centre, size = corners.mean(0), np.abs(corners[1] - corners[0])
    flat = np.tile([[0.0, 1.0]], (len(boxes), 1))
    return torch.from_numpy(np.concatenate((centre, flat[:, :1], size, flat[:, 1:]), axis=1))
