"""RetinaNet's losses (Lin 2017, arXiv 1708.02002) with OXnet's settings, blind to what is not annotated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from monai.apps.detection.utils.ATSS_matcher import Matcher
from monai.losses.focal_loss import sigmoid_focal_loss
from torch import nn
from torch.nn import functional as F

from cxr_common.detection.anchors import AnchorGrid
from cxr_common.detection.coder import DetectionBoxCoder
from cxr_common.detection.matching import IoUMatcher, match_anchors
from cxr_common.detection.network import DetectorOutput
from cxr_common.distributed import sum_over_processes


class DetectionLosses(NamedTuple):
    """Losses of N images; 0 for an image that is not annotated.

    Attributes:
        classification: (N,).
        regression: (N,).
        annotated: (N,) bool, images of which at least one class is annotated with boxes.
    """

    classification: torch.Tensor
    regression: torch.Tensor
    annotated: torch.Tensor

    def total(self) -> torch.Tensor:
        """The sum of both, averaged over the annotated images of all processes; 0 where there is none."""
        loss = sum_over_processes((self.classification + self.regression).sum())
        return loss / sum_over_processes(self.annotated.sum()).clamp_min(1)


class DetectionLoss(nn.Module):
    """Focal loss on every anchor and class, smooth L1 on the boxes of positive anchors.

    Boxes that coincide are one finding of several classes.

    Of an image: focal loss, summed and divided by max(1, positive anchors); smooth L1, averaged over the four numbers
    of the positive anchors. Facts of the published code: github.com/LLYXC/OXnet at 4fb67a8.

    MONAI's ``RetinaNetDetector`` has neither normaliser, and its training step calls torchvision whatever the matcher.

    Args:
        anchors: of the network.
        matcher: anchors to boxes; default :class:`IoUMatcher` as published.
        coder: boxes to regression targets; default as published.
        alpha: weight of the positive class.
        gamma: focusing exponent.
        beta: difference at which smooth L1 becomes linear.
        negatives: whether an annotated image without a finding contributes its background. Published: False; the
            authors say that True gives fewer false positives (issue 3).
    """

    def __init__(
        self,
        anchors: AnchorGrid,
        matcher: Matcher | None = None,
        coder: DetectionBoxCoder | None = None,
        alpha: float = 0.25,
        gamma: float = 2.0,
        beta: float = 1 / 9,
        negatives: bool = True,
    ) -> None:
        super().__init__()
        self.anchors = anchors
        self.matcher = matcher or IoUMatcher()
        self.coder = coder or DetectionBoxCoder()
        self.alpha, self.gamma, self.beta, self.negatives = alpha, gamma, beta, negatives

    def forward(
        self, output: DetectorOutput, boxes: torch.Tensor, known: torch.Tensor | None, size: Sequence[int]
    ) -> DetectionLosses:
        """Losses of a batch.

        Args:
            output: of the network.
            boxes: (N, M, 5) rows x0, y0, x1, y1, class in pixels of the network's input; class -1 is padding.
            known: (N, C), not 0 where the image is annotated with the class' boxes; None where all are.
            size: X, Y of the network's input.

        Raises:
            ValueError: when the output has another number of anchors than the grid.
        """
        logits, deltas = _full_precision(output.class_logits), _full_precision(output.box_deltas)
        anchors = self.anchors.boxes(size, logits.device).to(logits)
        if logits.shape[1] != len(anchors):
            raise ValueError(f"the network has {logits.shape[1]} anchors, the grid {len(anchors)}: use the same levels")
        mask = torch.ones_like(logits[:, 0], dtype=torch.bool) if known is None else known.to(logits.device) != 0
        losses = [
            self._image(*image, anchors, self.anchors.counts(size))
            for image in zip(logits, deltas, boxes.to(logits), mask, strict=True)
        ]
        classification, regression = torch.stack([torch.stack(pair) for pair in losses]).unbind(1)
        return DetectionLosses(classification, regression, mask.any(1))

    def _image(
        self,
        logits: torch.Tensor,
        deltas: torch.Tensor,
        rows: torch.Tensor,
        known: torch.Tensor,
        anchors: torch.Tensor,
        counts: Sequence[int],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        rows = rows[rows[:, 4] >= 0]
        matches = match_anchors(self.matcher, rows[:, :4], anchors, counts, self.anchors.per_cell)
        positive = torch.nonzero(matches >= 0)[:, 0]
        matched = rows[matches[positive]]
        target = torch.zeros_like(logits)
        target[positive] = _classes(rows, logits.shape[1])[matches[positive]]
        counting = known & (matches != self.matcher.BETWEEN_THRESHOLDS)[:, None]
        if not (self.negatives or len(rows)):
            counting = torch.zeros_like(counting)
        count = max(1, len(positive))
        terms = sigmoid_focal_loss(logits, target, self.gamma, self.alpha)
        focal = torch.where(counting, terms, 0.0).sum() / count
        codes = self.coder.encode_single(matched[:, :4], anchors[positive])
        smooth = F.smooth_l1_loss(deltas[positive], codes, beta=self.beta, reduction="sum") / (4 * count)
        return focal, smooth


def _classes(rows: torch.Tensor, num_classes: int) -> torch.Tensor:
    """(M, num_classes) 0 or 1: the classes of every box.

    Boxes that coincide are one finding with several names, such as a consolidation that is an opacity too. An anchor
    answers for one box only, and would else learn that the other names are absent.
    """
    named = F.one_hot(rows[:, 4].long(), num_classes).to(rows)
    coincide = (rows[:, None, :4] == rows[None, :, :4]).all(-1).to(rows)
    return (coincide @ named).clamp_max(1)


def _full_precision(x: torch.Tensor) -> torch.Tensor:
    return x if x.dtype == torch.float64 else x.float()
