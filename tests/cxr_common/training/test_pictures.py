from __future__ import annotations

import torch
from ignite.engine import Engine

from cxr_common.training import TensorBoardHeatmaps
from cxr_common.training.pictures import overlay_picture

TOP_RIGHT = (3, 0)  # x, y of a map of 4 x 2 cells


class Writer:
    def __init__(self):
        self.pictures = {}

    def add_image(self, tag, picture, step):
        self.pictures[tag, step] = picture


def test_a_picture_is_coloured_where_the_heatmap_is_and_grey_elsewhere():
    heatmap = torch.zeros(4, 2)
    heatmap[TOP_RIGHT] = 1
    picture = overlay_picture(torch.linspace(-2, 3, 16)[None, :, None].expand(1, 16, 8), heatmap)
    assert picture.shape == (3, 8, 16)  # row first
    assert 0 <= picture.min() <= picture.max() <= 1
    colour = picture.amax(0) - picture.amin(0)
    assert colour[0, 15] > 0.2
    assert colour[7, 0] < 0.01


def test_the_first_batch_of_every_validation_shows_what_is_present_or_else_the_likeliest():
    maps = torch.full((3, 2, 4, 2), -5.0)
    maps[1, 1, 0, 0] = 2
    batch = {"image": torch.rand(3, 1, 16, 8), "pred": maps, "label": torch.tensor([[1, 1], [0, 0], [1, 0]])}
    writer, engine = Writer(), Engine(lambda *_: batch)
    TensorBoardHeatmaps(writer, ["Mass", "Nodule"], count=2).attach(engine)
    engine.run(range(3), max_epochs=2)
    tags = ("validation/0/Mass", "validation/0/Nodule", "validation/1/Nodule (absent)")
    assert set(writer.pictures) == {(tag, epoch) for tag in tags for epoch in (1, 2)}


def test_a_class_with_a_mask_is_present():
    masks = torch.zeros(1, 2, 16, 8)
    masks[0, 1, 3, 3] = 1
    writer = Writer()
    engine = Engine(lambda *_: {"image": torch.rand(1, 1, 16, 8), "pred": torch.zeros(1, 2, 16, 8), "label": masks})
    TensorBoardHeatmaps(writer, ["Mass", "Nodule"]).attach(engine)
    engine.run([0], max_epochs=1)
    assert set(writer.pictures) == {("validation/0/Nodule", 1)}
