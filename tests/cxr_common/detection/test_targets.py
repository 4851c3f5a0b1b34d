from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from cxr_common.detection import EncodeBoxTargetsd
from cxr_common.transforms import EncodeLabeld


def known(**item):
    image = MetaTensor(torch.zeros(1, 64, 32), meta={"spatial_shape": (32, 64)})
    return EncodeBoxTargetsd(4, max_boxes=2)({"image": image, **item})["box_known"].tolist()


BOX = [[0, 0, 5, 5]]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({}, [0, 0, 0, 0]),  # not annotated
        ({"label": [0, 0, 0, 0]}, [0, 0, 0, 0]),
        ({"boxes": [], "box_labels": []}, [1, 1, 1, 1]),  # annotated, none found
        ({"boxes": [], "label": [None] * 4}, [1, 1, 1, 1]),
        ({"boxes": BOX, "box_labels": [2], "label": [0, 1, 1, 0]}, [1, 0, 1, 1]),  # 1 is present, yet has no box
        ({"boxes": BOX, "box_labels": [0], "label": [None, None, 0, -1]}, [1, 0, 1, 0]),
        ({"boxes": [], "label": torch.tensor([0, torch.nan, -1, 1])}, [1, 0, 0, 0]),
    ],
)
def test_a_class_without_a_box_is_annotated_only_where_it_is_known_to_be_absent(item, expected):
    assert known(**item) == expected


def test_boxes_are_encoded_as_ever():
    image = MetaTensor(torch.zeros(1, 64, 32), meta={"spatial_shape": (32, 64)})
    item = {"image": image, "boxes": [[1, 2, 3, 4]], "box_labels": [1], "label": [1, 1, None, 0]}
    d = EncodeBoxTargetsd(4, max_boxes=2)(item)
    assert d["boxes"].tolist() == [[2, 1, 6, 2, 1], [0, 0, 0, 0, -1]]
    assert "box_labels" not in d


def test_it_does_not_matter_whether_the_label_is_encoded_first():
    item = {"boxes": BOX, "box_labels": [0], "label": [1, None, -1, 0]}
    encoded = EncodeLabeld("label", "ABCD")(item)
    assert known(**item) == known(**encoded) == [1, 0, 0, 1]
