"""What a student learns from its teacher on images without boxes (Luo 2021, arXiv 2104.03218, OXnet)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from monai.apps.detection.utils.ATSS_matcher import Matcher
from torch import nn
from torch.nn import functional as F

from cxr_common.detection.anchors import AnchorGrid
from cxr_common.detection.coder import DetectionBoxCoder
from cxr_common.detection.matching import IoUMatcher, match_anchors
from cxr_common.detection.network import DetectorOutput
from cxr_common.detection.pseudo_boxes import select_pseudo_boxes
from cxr_common.detection.soft_focal import SoftFocalLoss
from cxr_common.distributed import sum_over_processes


class TeachingLosses(NamedTuple):
    """Scalars, over the images of all processes.

    Attributes:
        soft_focal: class probabilities towards the teacher's, on images with a pseudo-box.
        pseudo_box: smooth L1 of the boxes towards pseudo-boxes.
        consistency: mean squared difference of class probabilities, the classical mean teacher's (Tarvainen 2017).
    """

    soft_focal: torch.Tensor
    pseudo_box: torch.Tensor
    consistency: torch.Tensor


class TeachingLoss(nn.Module):
    """Soft focal loss, box regression to the teacher's pseudo-boxes, and consistency.

    Pseudo-boxes are matched to anchors as true boxes are: .5 and .4 as published, between them ignored.

    Args:
        anchors: of the network.
        matcher: anchors to pseudo-boxes; default :class:`IoUMatcher` as published.
        coder: boxes to regression targets; default as published.
        soft_focal: the loss; default as published.
        min_score: pseudo-boxes must score higher.
        nms_threshold: overlap above which the worse of two pseudo-boxes of a class goes.
        beta: difference at which smooth L1 becomes linear.
    """

    def __init__(
        self,
        anchors: AnchorGrid,
        matcher: Matcher | None = None,
        coder: DetectionBoxCoder | None = None,
        soft_focal: SoftFocalLoss | None = None,
        min_score: float = 0.5,
        nms_threshold: float = 0.5,
        beta: float = 1 / 9,
    ) -> None:
        super().__init__()
        self.anchors, self.matcher = anchors, matcher or IoUMatcher()
        self.coder, self.soft_focal = coder or DetectionBoxCoder(), soft_focal or SoftFocalLoss()
        self.min_score, self.nms_threshold, self.beta = min_score, nms_threshold, beta

    def forward(
        self, student: DetectorOutput, teacher: DetectorOutput, label: torch.Tensor, size: Sequence[int]
    ) -> TeachingLosses:
        """Losses of N images without boxes; N may be 0, as another process may have some.

        Args:
            student: its output.
            teacher: its output for the same images; no gradient flows to it.
            label: (N, C); a class that is absent (0) gets no pseudo-box.
            size: X, Y of the network's input.
        """
        logits, deltas = student.class_logits.float(), student.box_deltas.float()
        target = teacher.class_logits.detach().float().sigmoid()
        grid = self.anchors.boxes(size, logits.device)
        limit = torch.tensor([*size, *size], device=grid.device, dtype=grid.dtype)
        matches = torch.full(logits.shape[:2], self.matcher.BELOW_LOW_THRESHOLD, device=grid.device)
        box_counts = torch.zeros(len(logits), device=grid.device)
        regression = deltas.sum() * 0  # a graph also where there is no pseudo-box
        for n, known in enumerate(label):
            sure = torch.nonzero(target[n].amax(1) > self.min_score)[:, 0]
            boxes = self.coder.decode_single(teacher.box_deltas[n, sure].detach().float(), grid[sure])
            boxes = torch.minimum(boxes.clamp_min(0), limit)
            found = select_pseudo_boxes(boxes, target[n, sure], known, self.min_score, self.nms_threshold)
            box_counts[n] = len(found.boxes)
            matches[n] = match_anchors(
                self.matcher, found.boxes, grid, self.anchors.counts(size), self.anchors.per_cell
            )
            positive = torch.nonzero(matches[n] >= 0)[:, 0]
            codes = self.coder.encode_single(found.boxes[matches[n, positive]], grid[positive])
            smooth = F.smooth_l1_loss(deltas[n, positive], codes, beta=self.beta, reduction="sum")
            regression = regression + smooth / (4 * max(1, len(positive)))
        images = sum_over_processes(torch.tensor(len(logits), device=grid.device)).clamp_min(1)
        squared = (logits.sigmoid() - target).square().flatten(1).mean(1)
        return TeachingLosses(
            self.soft_focal(logits, target, matches, box_counts),
            sum_over_processes(regression) / images,
            sum_over_processes(squared.sum()) / images,
        )
