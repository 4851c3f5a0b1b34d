import dataclasses
import json

import pytest

from cxr_common.errors import InputError
from cxr_common.findings import (
    BoxThresholds,
    Thresholds,
    Walk,
    load_map_thresholds,
    load_thresholds,
    save_thresholds,
    thresholds_beside,
)
from cxr_common.findings.thresholds_file import used_thresholds
from cxr_common.networks import weights_sha256

LABELS = ("Mass", "Nodule")


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"weights")
    return path


def test_defaults():
    thresholds = Thresholds.default(LABELS)
    assert thresholds.decision == thresholds.mask == {"Mass": 0.5, "Nodule": 0.5}
    assert thresholds.mask_mode == "relative"
    assert thresholds.tuned_on is None


def test_round_trip(tmp_path):
    tuned = {"criterion": "Youden", "n": 10}
    thresholds = Thresholds(
        LABELS,
        {"Nodule": 0.2, "Mass": 0.7},
        {"Mass": 0.4, "Nodule": 1},
        "absolute",
        tuned_on=tuned,
        weights_sha256="ab",
    )
    save_thresholds(thresholds, tmp_path / "thresholds.json")
    again = load_thresholds(tmp_path / "thresholds.json")
    assert again == thresholds
    assert list(again.decision) == list(LABELS)  # whatever the order they were given in
    assert again.source == "thresholds.json"


def test_values_given_in_python_are_checked_too():
    with pytest.raises(InputError, match="1.5 is not a number in"):
        Thresholds(LABELS, {"Mass": 0.5, "Nodule": 1.5}, {"Mass": 0.5, "Nodule": 0.5})
    with pytest.raises(InputError, match="unknown mask_mode"):
        Thresholds.default(LABELS, "best")


def test_box_thresholds_have_no_masks(tmp_path):
    boxes = BoxThresholds(LABELS, {"Nodule": 0.2, "Mass": 0.7}, tuned_on={"n": 1}, weights_sha256="ab")
    save_thresholds(boxes, tmp_path / "thresholds.json")
    assert load_thresholds(tmp_path / "thresholds.json") == boxes
    content = json.loads((tmp_path / "thresholds.json").read_text(encoding="utf-8"))
    assert (content["kind"], "mask" in content) == ("boxes", False)
    with pytest.raises(InputError, match="thresholds are of boxes, not of maps"):
        load_map_thresholds(tmp_path / "thresholds.json")


@pytest.mark.parametrize("kind", [Thresholds, BoxThresholds])
def test_a_transform_takes_thresholds_in_any_form(tmp_path, kind):
    given = kind.default(LABELS)
    save_thresholds(given, tmp_path / "t.json")
    for form in (given, tmp_path / "t.json", None):
        assert used_thresholds(form, kind, "there", LABELS) == given
    with pytest.raises(InputError, match="different classes"):
        used_thresholds(given, kind, "there", LABELS[::-1])


def test_of_maps_are_of_boxes_too_but_not_the_other_way_round():
    maps = Thresholds.default(LABELS)
    assert used_thresholds(maps, BoxThresholds, "there") == BoxThresholds.default(LABELS)
    with pytest.raises(
        InputError, match="there: default: thresholds are of boxes, not of maps; give those of a network"
    ):
        used_thresholds(BoxThresholds.default(LABELS), Thresholds, "there")


def test_a_file_without_a_kind_is_of_maps(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(Thresholds.default(LABELS).as_dict()))
    assert load_thresholds(tmp_path / "t.json") == Thresholds.default(LABELS)


def test_with_weights_changes_nothing_else():
    thresholds = Thresholds.default(LABELS)
    assert thresholds.with_weights("ab").weights_sha256 == "ab"
    assert thresholds.with_weights("ab").with_weights(None) == thresholds


def test_of_other_weights_are_refused(tmp_path, weights):
    path = tmp_path / "thresholds.json"
    save_thresholds(Thresholds.default(LABELS).with_weights(weights_sha256(weights)), path)
    assert load_thresholds(path, weights=weights).labels == LABELS
    weights.write_bytes(b"retrained")
    with pytest.raises(InputError, match="tuned for other weights than model.pt; tune them again"):
        load_thresholds(path, weights=weights)


@pytest.mark.fault("thresholds are of other classes", "refused in one line")
def test_of_other_classes_or_another_order_are_refused(tmp_path):
    save_thresholds(Thresholds.default(LABELS), tmp_path / "t.json")
    with pytest.raises(InputError, match="the network has"):
        load_thresholds(tmp_path / "t.json", labels=LABELS[::-1])


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"decision": {"Mass": 0.5}}, "missing classes"),
        ({"decision": {"Mass": 0.5, "Nodule": 0.5, "Cat": 0.5}}, "unknown classes"),
        ({"mask": {"Mass": 0.5, "Nodule": 1.5}}, "mask.Nodule: input should be less than or equal to 1"),
        ({"mask": {"Mass": 0.5, "Nodule": float("nan")}}, "NaN is not a number"),
        ({"mask": {"Mass": 0.5, "Nodule": True}}, "mask.Nodule: input should be a valid number"),
        ({"mask": [0.5, 0.5]}, "valid"),
        ({"mask_mode": "best"}, "mask_mode: input should be 'relative' or 'absolute'"),
        ({"kind": "boxy"}, "kind: input should be 'maps' or 'boxes'"),
        ({"labels": ["Mass", "Mass"]}, "there twice"),
    ],
)
def test_bad_content_is_named(tmp_path, change, text):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(Thresholds.default(LABELS).as_dict() | change))
    with pytest.raises(InputError, match=text):
        load_thresholds(path)


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_unreadable_files_are_input_errors(tmp_path, content):
    path = tmp_path / "t.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match="t.json"):
        load_thresholds(path)


def test_beside_the_weights(tmp_path, weights):
    with pytest.raises(InputError, match="no thresholds.json beside model.pt"):
        thresholds_beside(weights)
    (tmp_path / "thresholds.json").write_text("{}")
    assert thresholds_beside(weights) == tmp_path / "thresholds.json"
    with pytest.raises(InputError, match="no such weights file; train the bundle first"):
        thresholds_beside(tmp_path / "none" / "model.pt")


def test_the_network_input_is_the_one_they_were_tuned_at():
    tuned = dataclasses.replace(Thresholds.default(["a"]), tuned_on={"input_size": [128, 96]})
    assert tuned.input_size == [128, 96]
    assert Thresholds.default(["a"]).input_size == [256, 256]
    assert dataclasses.replace(tuned, tuned_on={"input_size": None}).input_size == [256, 256]  # the schema allows it


def test_a_walk_is_kept_and_parts_of_it_can_be_replaced(tmp_path):
    walked = dataclasses.replace(Thresholds.default(["Mass", "Nodule"]), walk=Walk(5, 10, {"Mass": 64, "Nodule": 0}))
    save_thresholds(walked, tmp_path / "thresholds.json")
    read = load_thresholds(tmp_path / "thresholds.json")
    assert read == walked
    assert read.walk_with() == walked.walk
    assert read.walk_with(beta=5, steps=8) == Walk(5, 5, 8)
    assert read.with_walk(steps=8) == dataclasses.replace(walked, walk=Walk(5, 10, 8))
    with pytest.raises(InputError, match="integers from 0 to 10000, not 5, -1$"):
        read.walk_with(steps=-1)
    with pytest.raises(InputError, match="no number of steps for Nodule"):
        read.with_walk(steps={"Mass": 3})


@pytest.mark.parametrize("walk", [{"radius": 5}, [5, 10], {"radius": 1, "beta": 10, "steps": 8}])
def test_a_walk_that_makes_no_sense_is_named(tmp_path, walk):
    content = {**Thresholds.default(["Mass"]).as_dict(), "walk": walk}
    (tmp_path / "thresholds.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"thresholds.json: walk[.:]"):
        load_thresholds(tmp_path / "thresholds.json")
