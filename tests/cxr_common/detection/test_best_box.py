from __future__ import annotations

import numpy as np

from cxr_common.boxes import Detections
from cxr_common.detection.best_box import best_box_centres
from cxr_common.metrics.points import points_in_boxes


def found(*rows):
    table = np.array(rows, dtype=float).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(int))


def test_the_best_box_of_each_class_marks_its_point():
    two = found([0, 0, 4, 8, 0.3, 1], [10, 20, 14, 22, 0.8, 1], [0, 0, 2, 2, 0.1, 0])
    points = best_box_centres([two, found()], num_classes=3)
    np.testing.assert_array_equal(points[0], [[1, 1], [12, 21], [np.nan, np.nan]])
    assert np.isnan(points[1]).all()


def test_of_equal_scores_the_first_box_counts():
    points = best_box_centres([found([0, 0, 2, 2, 0.5, 0], [8, 8, 9, 9, 0.5, 0])], num_classes=1)
    assert points[0, 0].tolist() == [1, 1]


def test_a_class_that_was_not_found_is_a_miss_and_one_without_a_true_box_is_not_scored():
    points = best_box_centres([found([0, 0, 4, 4, 0.9, 0])], num_classes=3)
    hits = points_in_boxes(points, [[[1, 1, 3, 3], [1, 1, 3, 3]]], [[0, 1]])
    np.testing.assert_array_equal(hits, [[1, 0, np.nan]])
