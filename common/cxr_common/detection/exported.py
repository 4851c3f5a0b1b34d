"""The detector as modules that can be written as files, see :mod:`cxr_common.exports.exportable`.

Every operation has a fixed number of results, as exported graphs ask for: candidates are a fixed number for each level,
and suppression is a loop of as many rounds as there are detections at most.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from cxr_common.detection.alignment import aligned_logits, local_attention
from cxr_common.detection.anchors import AnchorGrid, grid
from cxr_common.detection.coder import DetectionBoxCoder
from cxr_common.detection.network import RetinaNet, flatten_anchors
from cxr_common.networks.pooling import average_pool

_EPSILON = torch.finfo(torch.float32).eps  # as MONAI's box_iou has it


class DetectorNetwork(nn.Module):
    """Images (N, 1, X, Y) to what the heads say of each anchor, and the image's class logits.

    Outputs are ``class_logits`` (N, A, C), ``box_deltas`` (N, A, 4) and ``logits`` (N, C).

    Args:
        network: a RetinaNet in evaluation mode.
        aligned: whether the image's logits are read where the detection head looks, or are means of the maps.
    """

    outputs = ("class_logits", "box_deltas", "logits")

    def __init__(self, network: RetinaNet, aligned: bool) -> None:
        super().__init__()
        self.network, self.aligned = network, aligned

    def levels(self, image: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor], torch.Tensor]:
        """Class logits (N, a, C) and box deltas (N, a, 4) of each level's a anchors as maps; class logits (N, C)."""
        classes, deltas, features = self.network.levels(image)
        maps = self.network.global_head(features)
        if not self.aligned:
            return classes, deltas, average_pool(maps)
        per_cell = self.network.anchors_per_cell
        likely = [torch.sigmoid(level.unflatten(1, (per_cell, -1)).amax(1)) for level in classes]
        return classes, deltas, aligned_logits(maps, local_attention(likely, maps.shape[-2:]))

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """What the heads say of images."""
        classes, deltas, logits = self.levels(image)
        per_cell = self.network.anchors_per_cell
        flat = [torch.cat([flatten_anchors(level, per_cell) for level in maps], 1) for maps in (classes, deltas)]
        return flat[0], flat[1], logits

    def expected(self, image: torch.Tensor, inferer: Callable[..., Any], network: Any) -> tuple[torch.Tensor, ...]:
        """The same of the network, and the image's logits by the inferer."""
        output = network.predict(image)
        return output.class_logits, output.box_deltas, inferer(image, network)["image_logits"]


class BoxNetwork(nn.Module):
    """Images (N, 1, X, Y) to detections and the image's class logits.

    Outputs are ``detections`` (N, K, 6), rows as :func:`~cxr_common.detection.select_detections` gives them, and
    ``logits`` (N, C). That function and this module give the same detections.

    Args:
        detector: what the heads say.
        anchors: of the network.
        score_threshold, per_level, nms_threshold, max_detections, coder: as for ``select_detections``.
    """

    outputs = ("detections", "logits")
    cells: torch.Tensor
    weights: torch.Tensor

    def __init__(
        self,
        detector: nn.Module,
        anchors: AnchorGrid,
        score_threshold: float = 0.05,
        per_level: int = 1000,
        nms_threshold: float = 0.5,
        max_detections: int = 100,
        coder: DetectionBoxCoder | None = None,
    ) -> None:
        super().__init__()
        coder = coder or DetectionBoxCoder()
        self.detector: Any = detector
        self.levels = anchors.levels
        self.score_threshold, self.per_level = score_threshold, per_level
        self.nms_threshold, self.max_detections = nms_threshold, max_detections
        self.register_buffer("cells", torch.stack(anchors.cells()))
        self.register_buffer("weights", torch.tensor(coder.weights))
        self.largest = coder.boxes_xform_clip

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Detections and class logits of images."""
        classes, deltas, logits = self.detector.levels(image)
        parts = [self._candidates(*level) for level in zip(classes, deltas, self.cells, self.levels, strict=True)]
        boxes, scores, labels = (torch.cat(part, 1) for part in zip(*parts, strict=True))
        ends = [torch.as_tensor(image.shape[axis]).to(boxes) for axis in (2, 3)]
        boxes = torch.stack([boxes[..., i].clamp(min=0).minimum(ends[i % 2]) for i in range(4)], -1)
        wide = (boxes[..., 2:] - boxes[..., :2] >= 1).all(-1)
        scores = torch.where((scores > self.score_threshold) & wide, scores, -torch.ones_like(scores))
        return self._suppress(boxes, scores, labels), logits

    def _candidates(
        self, classes: torch.Tensor, deltas: torch.Tensor, cell: torch.Tensor, level: int
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """A level's best boxes (N, per_level, 4), not clipped, their scores and classes (N, per_level)."""
        count = len(cell)
        anchors = grid(cell, classes.shape[-2], classes.shape[-1], 2**level)
        scores = flatten_anchors(classes, count).sigmoid()
        kinds = scores.shape[-1]
        # A small map has fewer: scores of -1 are nothing's.
        padded = F.pad(scores.flatten(1), [0, self.per_level], value=-1.0)
        # Of equal scores, which are common, the first; topk alone takes any. float64 tells 1e-15 apart below 1.
        order = torch.arange(padded.shape[1], device=padded.device).double() * 1e-15
        pairs = (padded.double() - order).topk(self.per_level, 1)[1]
        best = padded.gather(1, pairs)
        pairs = torch.where(best < 0, torch.zeros_like(pairs), pairs)
        which = torch.div(pairs, kinds, rounding_mode="floor")
        codes = flatten_anchors(deltas, count).gather(1, which[..., None].expand(-1, -1, 4)) / self.weights
        low, high = anchors[which].split(2, -1)
        side = high - low
        centre = (low + high) / 2 + codes[..., :2] * side
        half = codes[..., 2:].clamp(max=self.largest).exp() * side / 2
        return torch.cat((centre - half, centre + half), -1), best, pairs % kinds

    def _suppress(self, boxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """The best boxes (N, K, 6) by class; scores below 0 are of boxes that do not count."""
        counts = (scores >= 0)[..., None]
        # Classes are moved apart as in `nms`, whose rounding is part of the result.
        shift = torch.where(counts, boxes, torch.zeros_like(boxes)).amax((1, 2)) + 1
        apart = boxes + (labels.to(boxes.dtype) * shift[:, None])[..., None]
        low, high = apart.split(2, -1)
        area = (high - low).prod(-1)
        chosen, best = [], []
        left = scores
        for _ in range(self.max_detections):
            top, index = left.max(1, keepdim=True)
            box = apart.gather(1, index[..., None].expand(-1, -1, 4))
            size = (torch.minimum(high, box[..., 2:]) - torch.maximum(low, box[..., :2])).clamp(min=0)
            inter = size[..., 0] * size[..., 1]
            overlap = inter / (area + area.gather(1, index) - inter + _EPSILON)
            left = torch.where(overlap > self.nms_threshold, -torch.ones_like(left), left)
            chosen.append(index)
            best.append(top)
        index, score = torch.cat(chosen, 1), torch.cat(best, 1)
        kept = boxes.gather(1, index[..., None].expand(-1, -1, 4))
        rows = torch.cat((kept, score[..., None], labels.gather(1, index)[..., None].to(kept.dtype)), -1)
        nothing = torch.tensor([0.0, 0, 0, 0, 0, -1], device=rows.device).expand_as(rows)
        return torch.where(score[..., None] >= 0, rows, nothing)

    def expected(
        self, image: torch.Tensor, inferer: Callable[..., Any], network: nn.Module
    ) -> tuple[torch.Tensor, ...]:
        """The same, made by the inferer."""
        found = inferer(image, network)
        return found["detections"], found["image_logits"]
