from __future__ import annotations

import torch
from monai.data import MetaTensor

from cxr_common.localization import EncodePlacesd
from cxr_common.transforms import RandResizedCropd


def item(**keys):
    image = MetaTensor(torch.zeros(1, 20, 10), meta={"spatial_shape": [200, 50]})  # resized from 200 x 50
    return {"image": image, **keys}


def place(**keys):
    return EncodePlacesd(num_classes=3)(item(**keys))["place"]


def test_everywhere_where_nothing_is_known():
    found = place()
    assert found.shape == (3, 20, 10) and found.dtype == torch.uint8 and found.all()


def test_inside_the_chest():
    found = place(chest=[50, 10, 100, 40])  # x 5 to 10, y 2 to 8
    assert found[:, 5:10, 2:8].all() and found.sum() == 3 * 5 * 6


def test_a_class_with_boxes_is_inside_its_boxes_only():
    found = place(
        chest=[50, 10, 100, 40], boxes=[[0, 0, 20, 5], [180, 45, 200, 50], [5, 5, 6, 6]], box_labels=[1, 1, 2]
    )
    assert found[0].sum() == 30
    assert found[1].nonzero().tolist() == [[0, 0], [1, 0], [18, 9], [19, 9]]
    assert found[2].nonzero().tolist() == [[0, 1]]  # a box of a pixel keeps its cell


def test_no_boxes_found_says_nothing_of_the_place():
    assert place(boxes=[], box_labels=[]).all()


def test_crops_follow_the_image():
    data = item(boxes=[[50, 10, 100, 40]], box_labels=[0])
    data["image"][:, 5:10, 2:8] = 1
    data = EncodePlacesd(num_classes=1)(data)
    crop = RandResizedCropd(["image", "place"], (40, 40), scale=(0.4, 0.6), mode=("nearest", "nearest"))
    crop.set_random_state(seed=3)
    found = crop({key: torch.as_tensor(data[key]) for key in ("image", "place")})
    assert found["place"].any() and torch.equal(found["image"] > 0, found["place"] > 0)
