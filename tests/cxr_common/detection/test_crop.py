from __future__ import annotations

import pytest
import torch

from cxr_common.detection import RandCropAroundBoxesd, RandResizedCropBoxesd

PADDING = [0, 0, 0, 0, -1]


def cropped(box, *rows, size=(64, 64), **options):
    """A crop that is given instead of drawn, of a 32 x 64 image whose classes 0 to 2 are all annotated."""
    crop = RandResizedCropBoxesd("image", size, **options)
    crop.randomize = lambda size: setattr(crop, "box", box)
    boxes = torch.tensor([*rows, PADDING], dtype=torch.float32)
    return crop({"image": torch.zeros(1, 32, 64), "boxes": boxes, "box_known": torch.ones(3)})


def test_boxes_follow_the_image():
    d = cropped((8, 16, 24, 48), [12, 20, 16, 40, 2])
    assert d["image"].shape == (1, 64, 64)
    assert d["boxes"].tolist() == [[16, 8, 32, 48, 2], PADDING]  # four times as wide, twice as high
    assert d["box_known"].tolist() == [1, 1, 1]


def test_a_box_that_reaches_out_is_cut():
    d = cropped((0, 0, 32, 32), [8, 20, 12, 36, 0], size=(32, 32))
    assert d["boxes"].tolist() == [[8, 20, 12, 32, 0], PADDING]


def test_a_box_that_loses_too_much_goes_and_its_class_is_not_annotated_any_more():
    out, inside = [8, 24, 12, 44, 1], [0, 0, 8, 8, 2]
    d = cropped((0, 0, 32, 32), out, inside, size=(32, 32))
    assert d["boxes"].tolist() == [PADDING, [0, 0, 8, 8, 2], PADDING]
    assert d["box_known"].tolist() == [1, 0, 1]
    kept = cropped((0, 0, 32, 32), out, inside, size=(32, 32), kept=0.4)
    assert kept["box_known"].tolist() == [1, 1, 1]


def test_the_whole_image_is_what_it_was():
    crop = RandResizedCropBoxesd("image", (32, 64), scale=(1.0, 1.0), ratio=(1.0, 1.0))
    image, boxes = torch.rand(1, 32, 64), torch.tensor([[1.5, 2, 30, 64, 0], [0, 0, 0, 0, -1]])
    d = crop({"image": image, "boxes": boxes, "box_known": torch.tensor([1.0])})
    torch.testing.assert_close(d["image"], image)
    assert torch.equal(d["boxes"], boxes)


@pytest.mark.parametrize("seed", range(3))
def test_what_a_box_marks_stays_in_it(seed):
    image = torch.zeros(1, 64, 64)
    image[:, 20:36, 28:44] = 1
    crop = RandResizedCropBoxesd("image", (64, 64), scale=(0.6, 0.9)).set_random_state(seed)
    d = crop({"image": image, "boxes": torch.tensor([[20.0, 28, 36, 44, 0]]), "box_known": torch.ones(1)})
    x0, y0, x1, y1 = d["boxes"][0, :4].round().int().tolist()
    marked = torch.zeros(64, 64)
    marked[x0:x1, y0:y1] = 1
    assert (d["image"][0] - marked).abs().mean() < 0.02
    assert (x1 - x0) * (y1 - y0) > 256  # enlarged


def around(boxes, seed, prob=1.0, size=(64, 64)):
    """A crop of a quarter of the area of a 64 x 64 image."""
    crop = RandCropAroundBoxesd("image", size, prob=prob, scale=(0.25, 0.25), ratio=(1.0, 1.0)).set_random_state(seed)
    rows = torch.tensor([*boxes, PADDING], dtype=torch.float32)
    d = crop({"image": torch.zeros(1, 64, 64), "boxes": rows, "box_known": torch.ones(3)})
    return crop.box, d


@pytest.mark.parametrize("box", [[2, 3, 9, 8, 1], [30, 0, 44, 5, 1], [20, 30, 30, 52, 1]])
def test_a_crop_around_a_box_holds_it(box):
    places = set()
    for seed in range(20):
        crop, d = around([box], seed)
        assert (crop[2] - crop[0], crop[3] - crop[1]) == (32, 32)
        assert min(crop) >= 0 and max(crop) <= 64
        x0, y0, x1, y1, label = d["boxes"][0].tolist()
        assert (x1 - x0, y1 - y0, label) == (2 * (box[2] - box[0]), 2 * (box[3] - box[1]), 1)
        places.add((x0, y0))
    assert len(places) > 5  # not always at the same place


def test_of_a_box_larger_than_the_crop_the_centre_lies_inside():
    for seed in range(20):
        crop, _ = around([[4, 10, 60, 20, 0]], seed)
        assert crop[0] <= 32 <= crop[2] and crop[1] <= 15 <= crop[3]


def test_with_probability_0_and_without_boxes_a_crop_lies_anywhere():
    assert len({around([[2, 3, 9, 8, 1]], seed, prob=0.0)[0] for seed in range(20)}) > 5
    assert len({around([], seed)[0] for seed in range(20)}) > 5


def test_a_class_whose_box_lies_outside_stays_annotated_and_one_that_is_cut_off_does_not():
    crop = RandCropAroundBoxesd("image", (32, 32), prob=0.0)
    crop.randomize = lambda size: setattr(crop, "box", (0, 0, 32, 32))
    rows = torch.tensor([[40.0, 40, 60, 60, 0], [30, 0, 50, 10, 1], [0, 0, 8, 8, 2], PADDING])
    d = crop({"image": torch.zeros(1, 64, 64), "boxes": rows, "box_known": torch.ones(3)})
    assert d["box_known"].tolist() == [1, 0, 1]
    assert d["boxes"][:, 4].tolist() == [-1, -1, 2, -1]
