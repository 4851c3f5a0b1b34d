"""In-plane orientation: turn a stored picture upright, and results back into the stored picture's geometry.

A code such as ``"-x+y"`` says along which axis of the *stored* picture each axis of the *upright* tensor runs, x first,
and in which direction: ``"+x+y"`` is no change, ``"-x+y"`` a mirrored picture, ``"-x-y"`` one that is upside down,
``"-y+x"`` one that lies on its side.
"""

from __future__ import annotations

import numpy as np
import torch

from cxr_common.axes import ArrayOrTensor

IDENTITY = "+x+y"
#: The TIFF / EXIF Orientation tag (274): what the reader of a stored picture has to do to it.
EXIF_CODES = {
    1: "+x+y",
    2: "-x+y",
    3: "-x-y",
    4: "+x-y",
    5: "+y+x",
    6: "-y+x",
    7: "-y-x",
    8: "+y-x",
}
_OPPOSITE = dict(zip("LRFHAPIS", "RLHFPASI", strict=True))


def code_from_directions(stored: str, upright: str) -> str:
    r"""The code that turns a picture upright, from anatomical directions.

    Args:
        stored: two letters, the direction of increasing column and of increasing row of the stored picture, such as
            ``"RF"`` for PatientOrientation R\F.
        upright: the same for the upright picture, such as ``"LF"``.

    Raises:
        ValueError: the two describe different planes.
    """
    code = ""
    for wanted in upright:
        if wanted in stored:
            code += "+" + "xy"[stored.index(wanted)]
        elif _OPPOSITE[wanted] in stored:
            code += "-" + "xy"[stored.index(_OPPOSITE[wanted])]
        else:
            raise ValueError(f"directions {stored} and {upright} span different planes")
    return code


def _flip(image: ArrayOrTensor, axis: int) -> ArrayOrTensor:
    return image.flip((axis,)) if isinstance(image, torch.Tensor) else np.flip(image, axis)


def to_upright(image: ArrayOrTensor, code: str) -> ArrayOrTensor:
    """Turn a stored tensor (..., X, Y) upright; the shape is (..., Y, X) where the code swaps the axes."""
    if code[1] == "y":
        image = image.swapaxes(-1, -2)
    for axis, sign in ((-2, code[0]), (-1, code[2])):
        if sign == "-":
            image = _flip(image, axis)
    return image


def to_stored(image: ArrayOrTensor, code: str) -> ArrayOrTensor:
    """Turn an upright tensor (..., X, Y) back into the stored picture's geometry; the inverse of `to_upright`."""
    for axis, sign in ((-2, code[0]), (-1, code[2])):
        if sign == "-":
            image = _flip(image, axis)
    return image.swapaxes(-1, -2) if code[1] == "y" else image


def boxes_to_stored(boxes: np.ndarray, spatial_shape: tuple[int, int], code: str) -> np.ndarray:
    """Turn boxes of the upright tensor into boxes of the stored picture.

    Args:
        boxes: (N, 4) xyxy, half-open, pixels of the upright tensor.
        spatial_shape: (X, Y) of the upright tensor.
        code: the image's ``stored_axes``.

    Returns:
        (N, 4) xyxy, half-open, pixels of the stored picture, as its own file indexes them.
    """
    boxes = np.asarray(boxes)
    stored = np.empty_like(boxes)
    for axis in (0, 1):
        low, high = boxes[..., axis], boxes[..., axis + 2]
        if code[2 * axis] == "-":
            low, high = spatial_shape[axis] - high, spatial_shape[axis] - low
        target = "xy".index(code[2 * axis + 1])
        stored[..., target], stored[..., target + 2] = low, high
    return stored
