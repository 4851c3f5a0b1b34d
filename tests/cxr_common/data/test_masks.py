from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.masks import load_masks, read_mask
from cxr_common.errors import InputError
from cxr_common.findings import save_mask


@pytest.fixture
def mask():
    mask = np.zeros((30, 20), bool)  # 30 columns, 20 rows
    mask[25:29, 1:4] = True  # top right
    return mask


@pytest.mark.parametrize("suffix", ["png", "8-bit.png", "tif", "nii.gz"])
def test_every_format_gives_the_mask_upright(tmp_path, mask, suffix):
    path = tmp_path / f"mask.{suffix}"
    if suffix == "nii.gz":
        save_mask(mask, path, (0.5, 0.25))
    else:
        Image.fromarray(mask.T if suffix == "png" else mask.T.astype(np.uint8)).save(path)
    again = read_mask(path)
    assert again.dtype == bool
    np.testing.assert_array_equal(again, mask)


def test_listed_null_and_unlisted_classes(tmp_path, mask):
    Image.fromarray(mask.T).save(tmp_path / "m.png")
    item = {"mask": {"b": None, "a": str(tmp_path / "m.png")}}
    a, b, c = load_masks(item, ["a", "b", "c"], (30, 20))
    np.testing.assert_array_equal(a, mask)
    assert b.shape == (30, 20)
    assert not b.any()
    assert c is None
    assert load_masks({}, ["a"], (30, 20)) == [None]


def test_a_mask_of_another_image_is_refused(tmp_path, mask):
    Image.fromarray(mask.T).save(tmp_path / "m.png")
    with pytest.raises(InputError, match="30 x 20 pixels, its image 20 x 30"):
        load_masks({"mask": {"a": str(tmp_path / "m.png")}}, ["a"], (20, 30))


def test_ringing_of_a_jpeg_is_not_part_of_its_mask(tmp_path):
    picture = np.zeros((64, 64), np.uint8)
    picture[20:40, 17:45] = 255
    Image.fromarray(picture).save(tmp_path / "mask.jpg", quality=50)
    stored = np.asarray(Image.open(tmp_path / "mask.jpg"))
    assert (stored > 0).sum() > 1.05 * (picture > 0).sum()  # or this test says nothing
    np.testing.assert_array_equal(read_mask(tmp_path / "mask.jpg").T, picture > 0)
