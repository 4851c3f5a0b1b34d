"""From what the network says of every anchor to a few detections, and to the pixels of the original image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from monai.data.box_utils import clip_boxes_to_image

from cxr_common.boxes import Detections, scale_boxes
from cxr_common.detection.anchors import AnchorGrid
from cxr_common.detection.coder import DetectionBoxCoder
from cxr_common.detection.network import DetectorOutput
from cxr_common.detection.nms import batched_nms


def top_scores(scores: torch.Tensor, threshold: float, count: int) -> torch.Tensor:
    """Indices of the values (n,) above a threshold, the largest ``count``, falling; of equal ones the first."""
    if len(scores) > count:  # torch.topk alone takes any of the equal ones
        threshold_of_count = scores.topk(count).values[-1]
        chosen = torch.nonzero((scores > threshold) & (scores >= threshold_of_count))[:, 0]
    else:
        chosen = torch.nonzero(scores > threshold)[:, 0]
    return chosen[scores[chosen].argsort(descending=True, stable=True)[:count]]


@torch.no_grad()
def select_detections(
    output: DetectorOutput,
    anchors: AnchorGrid,
    size: Sequence[int],
    score_threshold: float = 0.05,
    per_level: int = 1000,
    nms_threshold: float = 0.5,
    max_detections: int = 100,
    coder: DetectionBoxCoder | None = None,
) -> torch.Tensor:
    """Detections of a batch: MONAI's ``BoxSelector``, but only what is chosen is decoded, and ties have an order.

    On each level the best (anchor, class) pairs above the score threshold are decoded and clipped to the image; boxes
    thinner than a pixel go; then non-maximum suppression by class over all levels. OXnet suppresses across classes,
    which loses a finding inside another.

    Args:
        output: of the network.
        anchors: of the network.
        size: X, Y of the network's input.
        score_threshold: probability that a detection must exceed.
        per_level: candidates of a level.
        nms_threshold: IoU above which a worse box of the class goes.
        max_detections: K.
        coder: of the regression targets; default as published.

    Returns:
        (N, K, 6) float32 rows x0, y0, x1, y1, score, class in pixels of the network's input, by falling score; rows
        beyond an image's detections are 0, 0, 0, 0, 0, -1.
    """
    coder = coder or DetectionBoxCoder()
    grid = anchors.boxes(size, output.class_logits.device)
    classes = output.class_logits.shape[-1]
    rows = torch.zeros(len(output.class_logits), max_detections, 6, device=grid.device)
    rows[..., 5] = -1
    for n, (logits, deltas) in enumerate(zip(output.class_logits.float(), output.box_deltas.float(), strict=True)):
        scores = logits.sigmoid()
        chosen, offset = [], 0
        for level in scores.split(anchors.counts(size)):
            chosen.append(offset + top_scores(level.flatten(), score_threshold, per_level))
            offset += level.numel()
        pairs = torch.cat(chosen)
        which = torch.div(pairs, classes, rounding_mode="floor")
        boxes, inside = clip_boxes_to_image(coder.decode_single(deltas[which], grid[which]), tuple(size))
        boxes, pairs = torch.as_tensor(boxes), pairs[torch.as_tensor(inside)]
        score, label = scores.flatten()[pairs], pairs % classes
        kept = batched_nms(boxes, score, label, nms_threshold, max_detections)
        rows[n, : len(kept)] = torch.cat((boxes[kept], score[kept, None], label[kept, None]), 1)
    return rows


def original_detections(rows: torch.Tensor, size: Sequence[float], original_size: Sequence[float]) -> Detections:
    """One image's rows in the pixels of its original.

    Args:
        rows: (K, 6) of :func:`select_detections`.
        size: X, Y of the network's input, to which the original was resized without crop or padding.
        original_size: X, Y of the original.
    """
    values = rows[rows[:, 5] >= 0].detach().cpu().numpy().astype(np.float64)
    boxes = scale_boxes(values[:, :4], size, original_size).clip(0, np.tile(np.asarray(original_size, float), 2))
    return Detections(boxes, values[:, 4], values[:, 5].astype(np.int64))
