"""The point that a detector marks of each class: the centre of its best box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cxr_common.boxes import Detections, as_boxes


def best_box_centres(detected: Sequence[Detections], num_classes: int) -> np.ndarray:
    """Centre of the best box of each image and class, to be scored as a heatmap's largest pixel is.

    Args:
        detected: detections of N images.
        num_classes: C.

    Returns:
        (N, C, 2) x, y in the boxes' pixels; NaN, which hits nothing, where no box of the class was found. Of equal
        scores the first box counts.

    Example:
        >>> found = Detections(np.array([[0, 0, 4, 2], [6, 6, 8, 8]]), np.array([0.5, 0.9]), np.array([0, 0]))
        >>> best_box_centres([found], num_classes=2).tolist()
        [[[7.0, 7.0], [nan, nan]]]
    """
    points = np.full((len(detected), num_classes, 2), np.nan)
    for n, found in enumerate(detected):
        boxes = as_boxes(found.boxes)
        for place in np.argsort(-np.asarray(found.scores), kind="stable")[::-1]:  # the best one is written last
            points[n, int(found.labels[place])] = (boxes[place, :2] + boxes[place, 2:]) / 2
    return points
