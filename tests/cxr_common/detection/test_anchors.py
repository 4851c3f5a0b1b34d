from __future__ import annotations

import math

import pytest
import torch

from cxr_common.detection import AnchorGrid
from tests import golden
from tests.cxr_common.detection.picture_order import from_picture_order


def test_every_published_anchor():
    grid, expected = AnchorGrid(), torch.from_numpy(golden.load("oxnet_anchors")["256x256_P3P7_all"])
    torch.testing.assert_close(
        grid.boxes((256, 256)), from_picture_order(expected[None], grid, (256, 256))[0], atol=1e-3, rtol=0
    )


@pytest.mark.parametrize("first", [2, 3])
def test_published_counts_and_sums(first):
    grid, size = AnchorGrid(range(first, 8)), (256, 256)
    name, found = f"256x256_P{first}P7", golden.load("oxnet_anchors")
    assert grid.counts(size) == found[f"{name}_per_level"].tolist()
    boxes = grid.boxes(size).double()
    assert len(boxes) == found[f"{name}_count"]
    for power, key in ((1, "colsum"), (2, "colsumsq")):
        torch.testing.assert_close(boxes.pow(power).sum(0), torch.from_numpy(found[f"{name}_{key}"]), rtol=1e-6, atol=0)
    levels = torch.stack([maps[0, 0, 0] for maps in grid.split(boxes[None], size)])
    torch.testing.assert_close(levels, torch.from_numpy(found[f"{name}_level_first"]).double(), atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(96, 64), (70, 33)])
def test_centres_and_sides_of_an_asymmetric_image(size):
    """Every anchor by its definition, x slowest, whatever the size."""
    grid = AnchorGrid(levels=(3, 4), ratios=(0.5, 2), scales=(1, 1.5), side=3)
    expected = []
    for level in (3, 4):
        stride = 2**level
        for i in range(math.ceil(size[0] / stride)):
            for j in range(math.ceil(size[1] / stride)):
                for ratio in (0.5, 2):
                    for scale in (1, 1.5):
                        side = 3 * stride * scale
                        width, height = side / math.sqrt(ratio), side * math.sqrt(ratio)
                        x, y = (i + 0.5) * stride, (j + 0.5) * stride
                        expected.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
    torch.testing.assert_close(grid.boxes(size), torch.tensor(expected))
    assert sum(grid.counts(size)) == len(expected)


def test_the_published_layout_has_196560_anchors_at_512():
    assert sum(AnchorGrid(range(2, 8)).counts((512, 512))) == 196_560


def test_split_puts_every_anchor_where_it_lies():
    grid, size = AnchorGrid(levels=(3, 4)), (64, 96)
    maps = grid.split(grid.boxes(size)[None], size)
    assert [tuple(m.shape) for m in maps] == [(1, 8, 12, 9, 4), (1, 4, 6, 9, 4)]
    centre = (maps[1][0, 3, 1, :, :2] + maps[1][0, 3, 1, :, 2:]) / 2
    torch.testing.assert_close(centre, torch.tensor([3.5 * 16, 1.5 * 16]).expand(9, 2))


def test_maps_of_other_levels_are_refused():
    grid, image = AnchorGrid(levels=(3, 4)), torch.zeros(2, 1, 64, 32)
    [first, second] = grid(image, [torch.zeros(2, 1, 8, 4), torch.zeros(2, 1, 4, 2)])
    assert first is second and len(first) == 9 * (32 + 8)
    with pytest.raises(ValueError, match="not those of levels"):
        grid(image, [torch.zeros(2, 1, 8, 4), torch.zeros(2, 1, 8, 4)])
