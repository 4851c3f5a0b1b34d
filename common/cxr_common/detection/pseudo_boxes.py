"""Boxes that a teacher is sure of, to train its student with (Luo 2021, arXiv 2104.03218, OXnet)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch

from cxr_common.detection.nms import batched_nms

#: (boxes (n, 4), scores (n,), classes (n,), IoU threshold) -> indices kept, best score first.
NonMaximumSuppression = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, float], torch.Tensor]


class PseudoBoxes(NamedTuple):
    """Boxes of one image, best first.

    Attributes:
        boxes: (n, 4) xyxy.
        scores: (n,) probabilities.
        labels: (n,) class indices.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor


@torch.no_grad()
def select_pseudo_boxes(
    boxes: torch.Tensor,
    probabilities: torch.Tensor,
    label: torch.Tensor | None,
    min_score: float = 0.5,
    nms_threshold: float = 0.5,
    nms: NonMaximumSuppression = batched_nms,
) -> PseudoBoxes:
    """Pick the pseudo-boxes of one image.

    Published: scores above 0.01, suppression, then scores above 0.5, then classes of the image's label. Greedy
    suppression goes from the best score down, so what is dropped for its score cannot suppress what is kept, and
    suppression per class leaves classes alone: filtering first gives the same boxes for less work. Suppression is per
    class, as the findings of a radiograph overlap (published: across classes); the published code pairs the boxes with
    other boxes' scores.

    Args:
        boxes: the teacher's decoded boxes (P, 4) of P anchors, xyxy.
        probabilities: its class probabilities (P, K).
        label: the image's label (K,): a class that is absent (0) gets no box; NaN (not annotated), -1 (uncertain) and 1
            allow it. None: nothing is annotated.
        min_score: boxes must score higher.
        nms_threshold: overlap (IoU) above which the worse of two boxes of a class goes.
        nms: suppression per class.

    Returns:
        The boxes kept, best first.
    """
    sure = probabilities > min_score
    if label is not None:
        sure &= (label != 0).to(sure.device)
    anchor, classes = sure.nonzero(as_tuple=True)
    candidates, scores = boxes[anchor], probabilities[anchor, classes]
    kept = nms(candidates, scores, classes, nms_threshold)
    return PseudoBoxes(candidates[kept], scores[kept], classes[kept])
