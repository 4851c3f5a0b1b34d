"""Boxes of several readers become one per finding: weighted boxes fusion (Solovyev 2021, arXiv:1910.13302)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxr_common.errors import InputError

Drawn = tuple[list[float], int]


def fuse_boxes(readers: Sequence[Sequence[Drawn]], overlap: float) -> list[Drawn]:
    """Fuse the boxes of a class that overlap, of all readers of an image.

    Args:
        readers: of each reader the boxes (x0, y0, x1, y1) with their class.
        overlap: IoU from which two boxes are one.

    Returns:
        Boxes with their class, by class, then from left to right; a fused box is the mean of its boxes, to 1/100 pixel.

    Raises:
        InputError: the package ensemble-boxes is not installed.
    """
    count = sum(map(len, readers))
    if count <= 1:
        return [box for boxes in readers for box in boxes]
    try:
        from ensemble_boxes import weighted_boxes_fusion
    except ImportError:
        action = "pip install 'cxr-bundles[prepare]', or choose --readers all or one reader"
        raise InputError("needs the package ensemble-boxes", "--readers fused", action) from None
    scale = max(v for boxes in readers for box, _ in boxes for v in box)
    boxes, _, classes = weighted_boxes_fusion(
        [[[v / scale for v in box] for box, _ in boxes] for boxes in readers],
        [[1.0] * len(boxes) for boxes in readers],
        [[index for _, index in boxes] for boxes in readers],
        iou_thr=overlap,
    )
    pixels = np.round(np.asarray(boxes, dtype=np.float64) * scale, 2).tolist()
    return sorted(zip(pixels, map(int, classes), strict=True), key=lambda box: (box[1], box[0]))
