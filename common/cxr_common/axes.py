"""The collection's axis convention, and the only place that converts to or from it.

A *picture* is indexed [row y, column x], as a screen, PIL, pydicom and every published network have it.
A *tensor* of this collection is MONAI's own (..., x, y): axis -2 is the column x, axis -1 the row y. So MONAI's boxes
are x0, y0, x1, y1, spacing is (column mm, row mm), and NIfTI output needs no transpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    import torch  # whoever turns arrays alone does not need it

ArrayOrTensor = TypeVar("ArrayOrTensor", np.ndarray, "torch.Tensor")


def picture_to_tensor(picture: ArrayOrTensor) -> ArrayOrTensor:
    """Turn (..., row y, column x) into (..., x, y); a view.

    Example:
        >>> picture = np.zeros((480, 640))  # rows, columns
        >>> picture_to_tensor(picture).shape
        (640, 480)
    """
    return picture.swapaxes(-1, -2)


def tensor_to_picture(tensor: ArrayOrTensor) -> ArrayOrTensor:
    """Turn (..., x, y) into (..., row y, column x); a view.

    Example:
        >>> tensor_to_picture(np.zeros((1, 640, 480))).shape
        (1, 480, 640)
    """
    return tensor.swapaxes(-1, -2)


def transpose_kernels(state_dict: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Transpose every convolution kernel of a network trained on pictures, so that it reads tensors.

    Args:
        state_dict: weights by name; kernels have rank 4 (out, in, height, width).

    Returns:
        A new dict in the same order; entries of another rank are the same objects.
    """
    return {k: picture_to_tensor(v).contiguous() if v.ndim == 4 else v for k, v in state_dict.items()}


def argmax_point(maps: torch.Tensor) -> torch.Tensor:
    """The pixel with the largest value of each map.

    Args:
        maps: (..., X, Y).

    Returns:
        (..., 2) integer x, y. On ties the first in row-major order of the displayed picture wins, as published code
        indexed by (row, column) has it.

    Example:
        >>> import torch
        >>> maps = torch.zeros(1, 4, 3)
        >>> maps[0, 2, 1] = 1  # column 2, row 1
        >>> argmax_point(maps).tolist()
        [[2, 1]]
    """
    import torch

    picture = tensor_to_picture(maps)
    width = picture.shape[-1]
    flat = picture.flatten(-2).argmax(-1)
    return torch.stack((flat % width, flat // width), dim=-1)


def affine_from_spacing(spacing: tuple[float, float]) -> np.ndarray:
    """The 4 x 4 affine of a radiograph in MONAI's RAS+ space.

    Args:
        spacing: (column mm, row mm); use (1, 1) where it is unknown.

    Returns:
        diag(-sx, -sy, 1, 1), which ITK and viewers read as identity direction, so the picture stays upright.

    Example:
        >>> affine_from_spacing((0.2, 0.3)).diagonal().tolist()
        [-0.2, -0.3, 1.0, 1.0]
    """
    return np.diag([-float(spacing[0]), -float(spacing[1]), 1.0, 1.0])
