"""What the volume formats have in common: a picture among axes of length 1, its orientation and its grey levels."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr_common.data.contrast import warn_of_contrast
from cxr_common.data.intensity import grey_or_colour, scale_by_type
from cxr_common.data.limits import check_size
from cxr_common.data.orientation import IDENTITY, code_from_directions
from cxr_common.data.scan import RadiographWarning, Scan, valid_spacing
from cxr_common.errors import InputError


def plane_axes(shape: Sequence[int], path: Path, samples: int = 1, sample_bytes: int = 1) -> tuple[int, int]:
    """The two axes of a picture among those of length 1; its size is checked by `limits.check_size`."""
    if len(shape) < 2 or min(shape) < 1:
        raise InputError(f"the image of shape {tuple(shape)} has no pixels", path, "copy or export it again")
    long = [axis for axis, size in enumerate(shape) if size > 1]
    if len(long) > 2:
        size = " x ".join(str(s) for s in shape)
        raise InputError(f"the image is a volume or a series ({size})", path, "give a single radiograph")
    while len(long) < 2:  # a picture one pixel wide
        long = sorted([*long, next(axis for axis in range(len(shape)) if axis not in long)])
    check_size(int(shape[long[0]]), int(shape[long[1]]), path, samples, sample_bytes)
    return long[0], long[1]


def as_picture(pixels: np.ndarray, axes: tuple[int, int], count: int) -> np.ndarray:
    """Indexed by the file's axes (x, y, ..., [channel]) -> picture (rows, columns[, channel])."""
    others = tuple(axis for axis in range(count) if axis not in axes)
    return np.squeeze(pixels, others).swapaxes(0, 1)


def warn_of_more() -> None:
    """Say that a file has more than the pixels that its header tells of."""
    reason = "the file goes on after the last pixel: its header may have another size or type than the image"
    warnings.warn(reason, RadiographWarning, stacklevel=3)


def upright_code(directions: Sequence[np.ndarray], path: Path, any_view: bool) -> str:
    """How the upright picture lies in a plane of LPS+ space.

    A 2-D image has no third direction, and ITK's identity, x to the left and y to posterior, means an upright
    picture. A coronal plane, x to the left and y to the feet, is the anatomical truth and upright as well.
    """
    letters = ""
    for vector in directions:
        if not np.isfinite(vector).all() or not vector.any():
            return IDENTITY
        main = int(np.abs(vector).argmax())
        letters += ("LPH" if vector[main] > 0 else "RAF")[main]
    planes = ("LP", "LF") if set(letters) & set("LR") else ()
    for upright in planes:
        try:
            return code_from_directions(letters, upright)
        except ValueError:
            continue
    if any_view or len(set(letters)) < 2 or not set(letters) & set("HF"):
        return IDENTITY
    raise InputError("this is not a frontal view (a sagittal plane)", path, "give a frontal (PA or AP) view")


def scaled_scan(
    path: Path,
    file_format: str,
    picture: np.ndarray,
    channels: int,
    spacing: Sequence[float],
    source: str,
    stored_axes: str,
) -> Scan:
    """Scale a picture by its type, check its spacing (column mm, row mm, from the field `source`), make the scan."""
    colour = picture.ndim == 3
    if colour:
        picture = picture[..., :3]
    scaled, (low, high, rule) = scale_by_type(picture, path)
    if colour:
        scaled = grey_or_colour(scaled, channels, path)
    elif channels == 3:
        scaled = np.repeat(scaled[..., None], 3, axis=-1)
    warn_of_contrast(scaled)
    # 1 x 1 is what every tool writes for an image without spacing; no radiograph has pixels of 1 mm.
    given = tuple(round(v, 6) for v in spacing) != (1.0, 1.0)
    valid = valid_spacing(spacing[0], spacing[1], source) if given else None
    return Scan(str(path), file_format, scaled, rule, (low, high), valid, source if valid else "", stored_axes)
