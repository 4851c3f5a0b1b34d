from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from cxr_common.errors import InputError
from cxr_common.localization import CamClassifier
from cxr_common.start.identity import (
    check_belongs,
    check_initial_weights,
    check_resumed,
    describe_items,
    describe_network,
    differences,
    made_from,
)

ITEM = {"image": "/a/1.png", "label": [1, None], "boxes": [[0, 0, 2, 2]], "box_labels": [0], "mask": {"A": "/a/m.png"}}
MADE = {
    "settings": {"batch_size": 8, "max_epochs": 2},
    "parts": {"optimizer": {"_target_": "torch.optim.Adam", "lr": "@learning_rate"}},
    "labels": ["A", "B"],
    "network": describe_network(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))),
    "training": describe_items([ITEM]),
}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"labels": ["B", "A"]}, "classes were A, B and are B, A"),
        ({"settings": {"batch_size": 4, "max_epochs": 2}}, "batch_size was 8 and is 4"),
        ({"settings": {"batch_size": 8, "max_epochs": 3}}, "max_epochs was 2 and is 3, on which the schedule"),
        ({"parts": {"optimizer": {"_target_": "torch.optim.SGD", "lr": 1}}}, "optimizer was Adam.* and is SGD"),
        (
            {"network": describe_network(nn.Sequential(nn.Conv2d(1, 2, 5), nn.BatchNorm2d(2)))},
            "the network had .*3, 3.* where it has .*5, 5",
        ),
        ({"network": describe_network(nn.Sequential(nn.Conv2d(1, 2, 3)))}, "the network had .*BatchNorm2d"),
        ({"training": describe_items([ITEM, ITEM])}, "the training data changed: 1 images then, 2 now"),
    ],
)
def test_what_differs_is_named(tmp_path, change, named):
    with pytest.raises(InputError, match=f"belongs to another run: .*{named}"):
        check_belongs(MADE, MADE | change, tmp_path / "checkpoint.pt")


def test_the_same_belongs_and_so_does_what_is_not_known():
    for then, now in ((MADE, json.loads(json.dumps(MADE))), (None, MADE), (MADE, None), ({}, MADE), (MADE, {})):
        check_belongs(then, now, "checkpoint.pt")


@pytest.mark.parametrize(
    "change",
    [
        {"label": [0, None]},
        {"boxes": []},
        {"box_labels": [1]},
        {"mask": {"A": None}},
        {"image": "/a/2.png"},
        {"mask": {}},
    ],
)
def test_an_items_annotation_counts(change):
    assert describe_items([ITEM]) != describe_items([ITEM | change])


def test_data_may_move():
    assert describe_items([ITEM]) == describe_items([ITEM | {"image": "/b/1.png", "mask": {"A": "/b/m.png"}}])


def test_options_that_no_weight_shows_are_in_a_networks_text():
    plain, dropping = (CamClassifier(num_classes=2, dropblock_prob=p) for p in (0.0, 0.2))
    assert describe_network(plain) != describe_network(dropping)
    synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.BatchNorm2d(3)))
    assert describe_network(synchronised) == describe_network(nn.Sequential(nn.BatchNorm2d(3)))


def test_outside_of_a_workflow_nothing_is_known():
    assert made_from() is None


@pytest.mark.fault("a checkpoint is damaged, or another network's", "one line says so; nothing is trained")
def test_a_damaged_checkpoint_is_refused_where_it_is_resumed(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"half")
    check_resumed(tmp_path, resume=False)
    check_resumed(tmp_path / "new", resume=True)
    with pytest.raises(InputError, match="cannot resume"):
        check_resumed(tmp_path, resume=True)
    torch.save({"epoch": 1}, tmp_path / "checkpoint.pt")  # of an earlier version
    check_resumed(tmp_path, resume=True)


def test_weights_whose_classes_have_other_places_are_no_start(tmp_path):
    weights = tmp_path / "model.pt"
    check_initial_weights(weights, ["A", "B"])
    check_initial_weights(None, ["A", "B"])
    (tmp_path / "thresholds.json").write_text(json.dumps({"labels": ["B", "A"]}))
    with pytest.raises(InputError, match="classes in the order B, A, the datalist has A, B"):
        check_initial_weights(weights, ["A", "B"])
    check_initial_weights(weights, ["B", "A"])
    check_initial_weights(weights, ["C", "D"])  # other classes, learnt from there
    (tmp_path / "thresholds.json").write_text("[]")
    check_initial_weights(weights, ["A", "B"])


def test_only_what_both_name_is_compared():
    assert list(differences({"settings": {"seed": 1}}, {"settings": {"crf": True}, "labels": ["A"]})) == []


def test_a_packed_bundle_goes_on_with_what_the_collection_began():
    began = {"parts": {"loss": {"_target_": "cxr_common.localization.ImageLabelLoss", "policy": "ignore"}}}
    packed = {"parts": {"loss": {"_target_": "cxr_a_v1_0_0.localization.ImageLabelLoss", "policy": "ignore"}}}
    other = {"parts": {"loss": {"_target_": "cxr_a_v1_0_0.localization.LabelAndPlaceLoss", "policy": "ignore"}}}
    assert list(differences(began, packed)) == []
    assert list(differences(packed, began)) == []
    assert len(list(differences(began, other))) == 1
