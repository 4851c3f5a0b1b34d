from __future__ import annotations

import numpy as np
import pytest

from cxr_common.metrics import Detections, auroc, box_image_scores, per_class
from cxr_common.metrics.ranked_boxes import RankedHits, of_known_classes


def test_image_scores_are_the_best_boxes():
    box = [0.0, 0, 1, 1]
    detected = [Detections([box] * 3, [0.2, 0.7, 0.4], [0, 0, 2]), Detections(np.zeros((0, 4)), [], [])]
    np.testing.assert_array_equal(box_image_scores(detected, 3), [[0.7, 0, 0.4], [0, 0, 0]])


def test_images_without_boxes_rank_last_and_unknown_labels_do_not_count():
    detected = [Detections([[0, 0, 1, 1]], [s], [0]) for s in (0.9, 0.1, 0.3)] + [Detections(np.zeros((0, 4)), [], [])]
    labels = np.array([[1.0], [1], [0], [np.nan]])
    assert per_class(auroc, box_image_scores(detected, 1), labels).item() == pytest.approx(0.5)
    labels[3] = 0
    assert per_class(auroc, box_image_scores(detected, 1), labels).item() == pytest.approx(0.75)


def test_classes_without_annotated_boxes_are_neither_hit_nor_false():
    found = Detections(np.array([[0.0, 0, 1, 1], [2, 2, 3, 3]]), np.array([0.9, 0.8]), np.array([0, 1]))
    truth, names = [[[0, 0, 1, 1], [4, 4, 5, 5]], [], None], [[0, 1], [], None]
    known = [[True, False], [False, False], [False, False]]
    detected, boxes, classes = of_known_classes([found] * 3, truth, names, known)
    assert [d.labels.tolist() for d in detected] == [[0], [], []]
    assert (boxes[0].tolist(), classes[0]) == ([[0, 0, 1, 1]], [0])
    assert boxes[1:] == classes[1:] == [None, None]  # annotated with boxes of no class


def test_ranked_hits():
    """Order of falling score: false (image 2), hit (0), false (1), false (1), hit (1), false (0, after all hits)."""
    ranked = RankedHits.build([0, 1], [2, 1, 1, 0], [0, 1, 1, 2], [3, 1, 0])
    weight, above, total = ranked.weighted()
    assert weight.tolist() == [1, 1] and above.tolist() == [1, 3] and total == 4
    weight, above, total = ranked.weighted([[1, 2, 0], [0, 1, 5]])
    assert weight.tolist() == [[1, 2], [0, 1]] and above.tolist() == [[0, 4], [5, 7]] and total.tolist() == [5, 1]
