from __future__ import annotations

import numpy as np
import torch

from cxr_common.axes import affine_from_spacing, argmax_point, picture_to_tensor, tensor_to_picture, transpose_kernels


def test_a_picture_pixel_is_found_at_column_and_row():
    picture = np.zeros((3, 5))
    picture[2, 4] = 1  # row 2, column 4
    tensor = picture_to_tensor(picture)
    assert tensor.shape == (5, 3)
    assert tensor[4, 2] == 1
    assert (tensor_to_picture(tensor) == picture).all()


def test_argmax_is_x_then_y_and_ties_break_in_reading_order():
    maps = torch.zeros(2, 6, 4)  # x, y
    maps[0, 5, 1] = 2.0
    # A tie: (x 3, y 0) comes before (x 0, y 1) when the picture is read row by row.
    maps[1, 3, 0] = maps[1, 0, 1] = 1.0
    assert argmax_point(maps).tolist() == [[5, 1], [3, 0]]


def test_argmax_equals_numpys_on_the_picture():
    maps = torch.randint(0, 4, (50, 7, 5)).float()
    for tensor, (x, y) in zip(maps, argmax_point(maps).tolist()):
        picture = tensor_to_picture(tensor).numpy()
        assert np.unravel_index(picture.argmax(), picture.shape) == (y, x)


def test_only_kernels_are_transposed():
    state = {"conv.weight": torch.arange(6.0).reshape(1, 1, 2, 3), "fc.weight": torch.arange(6.0).reshape(2, 3)}
    out = transpose_kernels(state)
    assert out["conv.weight"].shape == (1, 1, 3, 2)
    assert out["conv.weight"][0, 0, 2, 1] == state["conv.weight"][0, 0, 1, 2]
    assert out["fc.weight"] is state["fc.weight"]


def test_affine_is_itks_identity_direction():
    assert affine_from_spacing((0.2, 0.3)).tolist() == np.diag([-0.2, -0.3, 1, 1]).tolist()
