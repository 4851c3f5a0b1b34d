from __future__ import annotations

import pytest

from cxr_common.errors import InputError
from cxr_common.start import data_checks as data

NAN = float("nan")


def items(*labels, **more):
    return [{"image": f"/data/{i}.png", "label": list(label), **more} for i, label in enumerate(labels)]


@pytest.mark.parametrize("nothing", [(None, None), (NAN, NAN), ()])
def test_labels_that_say_nothing_are_refused(nothing):
    with pytest.raises(
        InputError, match="datalist, training: none of its 2 images has a label of 1 or 0; annotate some"
    ):
        data.check_training_labels(items(nothing, nothing), ["A", "B"], "ignore")


def test_uncertain_labels_teach_where_a_policy_says_what_they_are():
    uncertain = items((-1, None), (-1, -1))
    with pytest.raises(InputError, match="only -1; annotate some, or give --label_policy"):
        data.check_validation_labels(uncertain, ["A", "B"], "ignore")
    for policy in ("zeros", "ones", "soft"):
        data.check_training_labels(uncertain, ["A", "B"], policy)


def test_classes_of_which_nothing_is_known_are_warned_of(caplog):
    data.check_training_labels(items((1, None, 0), (0, None, 0)), ["A", "B", "C"], "ignore")
    assert "no image is annotated for B" in caplog.text
    assert "no image has C" in caplog.text
    caplog.clear()
    data.check_training_labels(items((1, 0), (0, 1)), ["A", "B"], "ignore")
    assert not caplog.text


def test_validation_needs_what_chooses_the_epoch():
    bare, empty = items((1,)), items((1,), boxes=[], mask={"A": None})
    for found in (bare, empty):
        with pytest.raises(InputError, match="validation: none of its 1 image has a mask"):
            data.check_validation_masks(found)
        with pytest.raises(InputError, match="validation: none of its 1 image has a box"):
            data.check_validation_boxes(found)
    full = items((1,), boxes=[[0, 0, 1, 1]], mask={"A": "a.png"})
    data.check_validation_masks(full)
    data.check_validation_boxes(full)


@pytest.mark.parametrize(("boxes", "labels", "good"), [(1, 1, True), (1, 0, False), (0, 1, True), (0, 0, False)])
def test_a_detector_learns_from_what_its_batches_hold(boxes, labels, good):
    labelled = items((1,))
    if good:
        data.check_supervision(labelled, boxes, labels)
    else:
        with pytest.raises(InputError, match="none of its 1 image has a box, or a label"):
            data.check_supervision(labelled, boxes, labels)
    if boxes:
        data.check_supervision(items((None,), boxes=[[0, 0, 1, 1]]), boxes, labels)


def test_masks_that_are_all_empty_teach_nothing():
    with pytest.raises(InputError, match="all masks of its 1 image are empty"):
        data.check_training_masks(items((0,), mask={"A": None}, mask_origin="expert"), "expert")
    with pytest.raises(InputError, match="no image has pseudo masks"):
        data.check_training_masks(items((1,), mask={"A": "a.png"}, mask_origin="expert"), "sample")
    data.check_training_masks(items((1,), mask={"A": "a.png"}, mask_origin="expert"), "expert")


@pytest.mark.parametrize("annotated", [{"boxes": []}, {"mask": {"A": None}}, {"label_map": "a.png"}, {"label": [0]}])
def test_anything_annotated_can_be_scored(annotated):
    data.check_scored([{"image": "a.png", "label": [None], **annotated}])


def test_nothing_annotated_cannot_be_scored():
    with pytest.raises(InputError, match="nothing is annotated in 2 images"):
        data.check_scored(items((None,), (-1,)))
    with pytest.raises(InputError, match="none of 1 image has a mask"):
        data.check_scored_masks(items((1,)))


def test_heatmaps_come_from_somewhere():
    data.check_heatmaps(items((1,)), "localizer")
    data.check_heatmaps(items((1,), heatmap="a.npz"), None)
    with pytest.raises(InputError, match=r"/data/0.png: has no heatmap \(1 of 1 image"):
        data.check_heatmaps(items((1,)), None)
