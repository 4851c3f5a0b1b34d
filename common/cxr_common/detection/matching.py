"""Which box an anchor answers for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from monai.apps.detection.utils.ATSS_matcher import Matcher


class IoUMatcher(Matcher):
    """Match an anchor to the box it overlaps most (RetinaNet; thresholds as in github.com/LLYXC/OXnet at 4fb67a8).

    An anchor with an IoU of at least ``positive`` is that box's, one below ``negative`` is background, one between is
    ignored. A box that no anchor overlaps enough gets none. It takes the place of torchvision's Matcher, which MONAI
    needs for this; ``monai.apps.detection.utils.ATSS_matcher.ATSSMatcher`` is the alternative with the same call.

    Args:
        positive: IoU from which an anchor is positive.
        negative: IoU below which it is background.

    Raises:
        ValueError: when the thresholds are not 0 < negative <= positive <= 1.
    """

    def __init__(self, positive: float = 0.5, negative: float = 0.4) -> None:
        super().__init__()
        if not 0 < negative <= positive <= 1:
            raise ValueError(f"0 < negative <= positive <= 1 is needed, not {negative} and {positive}")
        self.positive, self.negative = positive, negative

    def compute_matches(
        self,
        boxes: torch.Tensor,
        anchors: torch.Tensor,
        num_anchors_per_level: Sequence[int] = (),
        num_anchors_per_loc: int = 0,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Match M > 0 boxes (M, 4) to anchors (A, 4); the last two arguments are other matchers'.

        Returns:
            IoU (M, A), and the box of each anchor (A,) int64: its index, -1 background, -2 ignored.
        """
        iou = self.similarity_fn(boxes, anchors)
        best, matches = iou.max(0)
        matches[best < self.positive] = self.BETWEEN_THRESHOLDS
        matches[best < self.negative] = self.BELOW_LOW_THRESHOLD
        return iou, matches


def match_anchors(
    matcher: Matcher, boxes: torch.Tensor, anchors: torch.Tensor, counts: Sequence[int], per_cell: int
) -> torch.Tensor:
    """The box of each anchor of an image.

    Args:
        matcher: :class:`IoUMatcher`, or MONAI's ``ATSSMatcher``.
        boxes: (M, 4) xyxy; M may be 0.
        anchors: (A, 4) xyxy.
        counts: anchors of each level.
        per_cell: anchors of a location.

    Returns:
        (A,) int64: an index into boxes, -1 background, -2 ignored.
    """
    if len(boxes) == 0:  # MONAI's answer would be on the CPU
        return torch.full((len(anchors),), matcher.BELOW_LOW_THRESHOLD, device=anchors.device)
    return matcher(boxes, anchors, [count // per_cell for count in counts], per_cell)[1]
