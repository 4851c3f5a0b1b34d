"""Orientation codes: inverse of each other, boxes move with the pixels."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cxr_common.data.orientation import EXIF_CODES, boxes_to_stored, code_from_directions, to_stored, to_upright

CODES = sorted(EXIF_CODES.values())


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_to_stored_undoes_to_upright(code, kind):
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    image = array if kind == "numpy" else torch.from_numpy(array)
    assert (np.asarray(to_stored(to_upright(image, code), code)) == array).all()
    assert to_upright(image, code).shape == ((2, 4, 3) if code[1] == "y" else (2, 3, 4))


def test_codes_by_hand():
    stored = np.array([[1, 2], [3, 4], [5, 6]])  # [x, y]
    assert to_upright(stored, "+x+y").tolist() == [[1, 2], [3, 4], [5, 6]]
    assert to_upright(stored, "-x+y").tolist() == [[5, 6], [3, 4], [1, 2]]
    assert to_upright(stored, "+x-y").tolist() == [[2, 1], [4, 3], [6, 5]]
    assert to_upright(stored, "+y+x").tolist() == [[1, 3, 5], [2, 4, 6]]
    assert to_upright(stored, "-y+x").tolist() == [[2, 4, 6], [1, 3, 5]]


@pytest.mark.parametrize(
    ("stored", "code"), [("LF", "+x+y"), ("RF", "-x+y"), ("RH", "-x-y"), ("FL", "+y+x"), ("FR", "-y+x"), ("HL", "+y-x")]
)
def test_code_from_directions(stored, code):
    assert code_from_directions(stored, "LF") == code


def test_other_planes():
    with pytest.raises(ValueError, match="different planes"):
        code_from_directions("AF", "LF")


@given(st.sampled_from(CODES), st.integers(0, 6), st.integers(0, 3), st.integers(1, 3), st.integers(1, 2))
def test_boxes_move_with_the_pixels(code, x, y, width, height):
    box = np.array([[x, y, x + width, y + height]])
    upright = np.zeros((9, 5), int)
    upright[x : x + width, y : y + height] = 1
    stored = to_stored(upright, code)
    x0, y0, x1, y1 = boxes_to_stored(box, (9, 5), code)[0]
    assert stored[x0:x1, y0:y1].all() and stored.sum() == (x1 - x0) * (y1 - y0)


def test_boxes_of_fractions_and_of_none():
    assert boxes_to_stored(np.array([[1.5, 0, 2.5, 1]]), (10, 4), "-x+y").tolist() == [[7.5, 0, 8.5, 1]]
    assert boxes_to_stored(np.zeros((0, 4)), (10, 4), "-y+x").shape == (0, 4)
