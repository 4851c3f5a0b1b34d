from __future__ import annotations

import pytest
import torch

from cxr_common.errors import InputError
from cxr_common.refinement import RelationLabelsd, reduce_labels


def item():
    """A bright disc at x 40, y 16 of a 64 x 64 image, a heatmap around it, and a second class without evidence."""
    x, y = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    distance = ((x - 40) ** 2 + (y - 16) ** 2).sqrt()
    heat = torch.stack((0.3 * torch.exp(-((distance / 12) ** 2)), torch.zeros(64, 64)))
    return {"image": (distance < 10).float()[None], "heatmap": heat, "label": torch.tensor([1.0, 0.0])}


@pytest.mark.parametrize("crf", [False, True])
def test_labels_are_sure_at_the_peak_and_far_from_it(crf):
    labels = RelationLabelsd(crf=crf)(item())["relations"]
    assert labels.shape == (2, 16, 16)
    assert labels.dtype == torch.int64
    assert labels[0, 10, 4] == 1
    assert labels[0, 0, 15] == 0
    assert (labels[1] == 255).all()  # absent: it says nothing about boundaries


def test_the_labels_of_the_second_class_bear_its_number():
    d = item()
    d["heatmap"], d["label"] = d["heatmap"].flip(0), d["label"].flip(0)
    labels = RelationLabelsd(crf=False)(d)["relations"]
    assert set(labels[1].unique().tolist()) == {0, 2, 255}
    assert (labels[0] == 255).all()


def test_competing_classes_give_one_labelling():
    d = item()
    d["heatmap"][1] = 0.2 * d["heatmap"][0].flip(0)
    d["label"] = torch.ones(2)
    labels = RelationLabelsd(compete=True, foreground=0.30, background=0.05, crf=False)(d)["relations"]
    assert labels.shape == (1, 16, 16)
    assert labels[0, 10, 4] == 1
    assert labels[0, 5, 4] == 2


@pytest.mark.parametrize("size", [(64, 64), (57, 50)])
def test_labels_of_pixels_are_those_of_their_cells(size):
    x, y = size
    d = {**item(), "image": item()["image"][:, :x, :y]}
    grid = RelationLabelsd(crf=False)(d)["relations"]
    full = RelationLabelsd(crf=False, full_size=True)(d)["relations"]
    assert grid.shape == (2, -(-x // 4), -(-y // 4))
    assert full.shape == (2, x, y)
    assert full.dtype == torch.int64
    for i in range(x):
        for j in range(y):
            # The pixel's middle lies in this cell of a grid that is stretched over the image.
            cell = int((i + 0.5) * grid.shape[1] / x), int((j + 0.5) * grid.shape[2] / y)
            assert (full[:, i, j] == grid[:, cell[0], cell[1]]).all()
    if size == (64, 64):
        assert torch.equal(reduce_labels(full), grid)


def test_thresholds_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="background"):
        RelationLabelsd(foreground=0.1, background=0.2)
