import numpy as np

from cxr_common.evaluation import BoxPredictions


def make():
    rows = np.zeros((2, 2, 6))
    rows[:, :, 5] = -1
    rows[0, 0] = [1, 2, 3, 4, 0.9, 1]
    return BoxPredictions(
        labels=["x", "y"],
        items=[{"image": "a", "boxes": [[2, 4, 6, 8]], "box_labels": [1]}, {"image": "b"}],
        sizes=np.array([[20, 20], [10, 10]]),
        input_size=(10, 10),
        label=np.array([[0, 1], [np.nan, np.nan]]),
        rows=rows,
        logits=np.zeros((2, 2)),
    )


def test_rows_without_a_class_are_no_detections():
    first, second = make().detections
    assert (first.boxes.tolist(), first.scores.tolist(), first.labels.tolist()) == ([[1, 2, 3, 4]], [0.9], [1])
    assert len(second.boxes) == 0


def test_truth_is_in_network_pixels_and_known_class_by_class():
    boxes, classes = make().boxes()
    assert boxes[0].tolist() == [[1, 2, 3, 4]]
    assert (boxes[1], classes) == (None, [[1], None])
    assert make().known.tolist() == [[True, True], [False, False]]


def test_a_subset_keeps_everything_in_step():
    part = make().subset(np.array([False, True]))
    assert [item["image"] for item in part.items] == ["b"]
    assert (len(part.rows), len(part.logits), part.sizes.tolist()) == (1, 1, [[10, 10]])
