from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from cxr_common.axes import (
    affine_from_spacing,
    argmax_point,
    picture_to_tensor,
    tensor_to_picture,
    transpose_kernels,
)


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


def test_argmax_of_an_enlarged_map_does_not_hang_on_rounding():
    """With the largest cell at the right and lower edge the enlarged map is constant there: its first pixel counts."""
    small = torch.rand(25, 8, 4, 4, generator=torch.Generator().manual_seed(0)) * 0.9
    small[..., 3, 3] = 0.9 + 0.1 * torch.rand(25, 8, generator=torch.Generator().manual_seed(1))
    small = small.contiguous(memory_format=torch.channels_last)  # the kernel of this layout rounds
    enlarged = F.interpolate(small, size=(128, 128), mode="bilinear", align_corners=False)
    assert len(enlarged.flatten(2).argmax(-1).unique()) > 1  # or this test says nothing
    assert (argmax_point(enlarged) == 112).all()  # the cell's centre lies between 111 and 112


def test_argmax_of_what_is_not_finite():
    maps = torch.zeros(2, 3, 3)
    maps[0, 1, 2], maps[1, 2, 0] = torch.inf, 1
    maps[1, 0, 0] = -torch.inf
    assert argmax_point(maps).tolist() == [[1, 2], [2, 0]]


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
