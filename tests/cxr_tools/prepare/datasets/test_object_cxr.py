"""Object-CXR in its documented format, small."""

from __future__ import annotations

import numpy as np
import pytest

from cxr_common.data.masks import read_mask

TRAIN = "image_path,annotation\n/data/train/1.jpg,0 1 1 4 3;2 5 0 7 0 7 2\n/data/train/2.jpg,\n"
DEV = "image_name,annotation\n3.jpg,1 5 5 35 25\n"


@pytest.fixture
def root(table, picture):
    table("train.csv", TRAIN)
    table("dev.csv", DEV)
    for path in ("train/1.jpg", "train/2.jpg"):
        picture(path)
    picture("dev/3.jpg", size=(40, 30))


@pytest.mark.usefixtures("root")
def test_rectangles_ellipses_and_polygons(prepare, tmp_path):
    data, _, _ = prepare("object_cxr", "--fractions", "0,0")
    one, none = data["training"]
    assert one["boxes"] == [[1, 1, 4, 3], [5, 0, 7, 2]] and one["label"] == [1]
    assert none["boxes"] == [] and none["label"] == [0] and none["mask"] == {"Foreign Object": None}
    [round_one] = data["validation"]
    assert round_one["boxes"] == [[5, 5, 35, 25]]
    mask = read_mask(tmp_path / "root" / round_one["mask"]["Foreign Object"])
    assert mask[20, 15] and mask[5, 15] and mask[20, 25] and not mask[6, 6] and not mask[33, 23]
    rectangle = read_mask(tmp_path / "root" / one["mask"]["Foreign Object"])
    assert rectangle[1:5, 1:4].all() and rectangle[7, 0] and not rectangle[0].any()
    assert np.array_equal(rectangle.shape, (8, 6))


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("shape", ["3 1 1 2 2", "0 1 1 2", "0 1 1 2 2 3 3", "2 1 1 2 2", "0 a b c d", "0 3 3 1 1"])
def test_bad_shapes(prepare, table, shape):
    table("dev.csv", DEV + f"4.jpg,{shape}\n")
    assert "dev.csv line 3 column 'annotation'" in prepare("object_cxr")[2]
