from __future__ import annotations

import numpy as np
import pytest

from cxr_common.metrics import MaskCounts, auroc
from cxr_common.metrics.statistics import hit_statistic, iou_statistic, label_statistic

WEIGHTS = np.array([[1.0, 1, 1, 1], [2.0, 0, 0, 2]])


def test_hits_are_averaged_with_the_weights_of_images():
    hits = np.array([[1, np.nan], [0, 1], [0, np.nan], [1, 0]])
    assert hit_statistic(hits)(WEIGHTS) == pytest.approx([3 / 6, 4 / 6])
    assert hit_statistic(hits, "macro")(WEIGHTS) == pytest.approx([(2 / 4 + 1 / 2) / 2, (4 / 4 + 0) / 2])


def test_labels_are_scored_class_by_class():
    scores, label = np.array([[0.9], [0.1], [0.8], [0.2]]), np.array([[1], [0], [0], [1]])
    assert label_statistic(auroc, scores, label)(WEIGHTS[:1]) == pytest.approx([3 / 4])
    both = label_statistic(auroc, np.hstack([scores, scores]), np.hstack([label, 1 - label]))
    assert both(WEIGHTS[:1]) == pytest.approx([0.5])  # 3/4 and 1/4


def test_iou_is_of_all_images_together():
    counts = MaskCounts(*(np.array(v, float)[:, None] for v in ([1, 0, 2, 1], [2, 1, 2, 4], [1, 1, 4, 1])))
    assert iou_statistic(counts)(WEIGHTS) == pytest.approx([4 / 12, 4 / 12])
    assert iou_statistic(counts)(np.array([[0.0, 1, 0, 0]])) == pytest.approx([0])
