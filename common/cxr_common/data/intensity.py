"""Grey levels of files that carry no display rule: range of integers, percentiles of floats, colour to grey."""

from __future__ import annotations

import warnings

import numpy as np

from cxr_common.data.grey_levels import APART, FEW_LEVELS, levels_of
from cxr_common.data.grey_range import PERCENTILES, GreyRange, believed_range
from cxr_common.data.misread import in_byte_order, with_sign
from cxr_common.data.overlay_bits import without_overlays
from cxr_common.data.scan import RadiographWarning
from cxr_common.errors import InputError

#: Channels of a grey picture differ by JPEG's chroma rounding, those of a colour picture by far more.
COLOUR_SPREAD = 16 / 255
#: A grey radiograph may carry a small coloured mark; more than this share of coloured pixels makes a colour picture.
COLOUR_SHARE = 0.01
#: A sample of this many pixels tells whether there are more than a few values.
_ENOUGH = 100_000


def scale_by_range(pixels: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map low to 0 and high to 1, clipped, as float32; zeros where the range is empty."""
    if not high > low:
        return np.zeros(pixels.shape, np.float32)
    # A float64 detour only where float32 cannot hold the values; in place, for large images.
    wide = pixels.astype(np.float64) if pixels.dtype.itemsize > 2 else pixels.astype(np.float32)
    wide -= low
    wide /= high - low
    return np.clip(wide, 0, 1, out=wide).astype(np.float32, copy=False)


def scale_by_percentiles(pixels: np.ndarray, where: object) -> tuple[np.ndarray, float, float]:
    """Map the 0.5th percentile to 0 and the 99.5th to 1, clipped.

    Args:
        pixels: picture of any real type; pixels that are not finite do not count and become 0.
        where: the file, for the error.

    Returns:
        float32 picture in [0, 1], and the two percentiles.

    Raises:
        InputError: more than half of the pixels are not finite.
    """
    pixels = in_byte_order(pixels)
    finite = np.isfinite(pixels)
    missing = 1 - finite.mean()
    if missing > 0.5:
        raise InputError(f"{missing:.0%} of the pixels are NaN or infinite", where, "export the image again")
    if missing:
        warnings.warn(f"{missing:.2%} of the pixels are NaN or infinite, read as 0", RadiographWarning, stacklevel=2)
    counted = pixels[finite].astype(np.float64)
    low, high = (float(v) for v in np.percentile(_without_frame(counted), PERCENTILES))
    if not high > low:  # nearly all pixels are alike: what differs must not be clipped away
        low, high = float(counted.min()), float(counted.max())
    scaled = scale_by_range(np.where(finite, pixels, low), low, high)
    scaled[~finite] = 0
    return scaled, low, high


def turned_round(scaled: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Bright and dark exchanged, of what was scaled from `pixels`; those that are not finite stay black."""
    return np.where(np.isfinite(pixels), 1 - scaled, scaled)


def _without_frame(values: np.ndarray) -> np.ndarray:
    """The values without the smallest or the largest where that is apart from all others, as padding is."""
    for end in (values.min(), values.max()):
        others = values[values != end]
        if len(others) * 2 > len(values):
            low, high = np.percentile(others, PERCENTILES)
            few = len(np.unique(others[:: 1 + others.size // _ENOUGH])) <= FEW_LEVELS
            if not few and max(low - end, end - high) > APART * (high - low):
                values = others
    return values


def scale_by_type(pixels: np.ndarray, where: object, bits: int | None = None) -> tuple[np.ndarray, GreyRange]:
    """Map a picture without a display rule to [0, 1].

    Float values are mapped by their percentiles, because no float type declares a range; integers by the range of
    their type, or by what `grey_range.believed_range` makes of it.

    Args:
        pixels: picture of bool, integers or float, of any shape and not empty.
        where: the file, for errors.
        bits: how many bits an unsigned value has; None for all of its type.

    Returns:
        float32 picture in [0, 1], and the range; its rule is "dtype" where the declared one is believed.

    Raises:
        InputError: the pixels are of another type, or too many of them are not finite.
    """
    if pixels.dtype.kind == "f":
        scaled, low, high = scale_by_percentiles(pixels, where)
        return scaled, GreyRange(low, high, "percentile")
    if pixels.dtype.kind == "b":
        return pixels.astype(np.float32), GreyRange(0, 1, "dtype")
    if pixels.dtype.kind not in "ui":
        raise InputError(f"pixels of type {pixels.dtype} are not supported", where, "save it as integers or float")
    pixels, low, high = _unfolded(pixels, bits)
    levels = levels_of(pixels)
    if low < 0 <= levels.values[0]:
        warnings.warn("no value of the signed type is negative: 0 is taken as black", RadiographWarning, stacklevel=2)
        low = 0.0
    found = believed_range(levels, low, high)
    return scale_by_range(pixels, found.low, found.high), found._replace(rule=found.rule or "dtype")


def _unfolded(pixels: np.ndarray, bits: int | None) -> tuple[np.ndarray, float, float]:
    """Integers in their right byte order, with the right sign and without overlays, and their declared range."""
    bits = 8 * pixels.dtype.itemsize if bits is None else bits
    signed = pixels.dtype.kind == "i"
    if pixels.ndim == 2 or pixels.shape[2:] == (1,):
        plane = pixels.reshape(pixels.shape[:2])
        plane = in_byte_order(plane)
        plane, signed = with_sign(plane, bits, signed) if bits <= 16 else (plane, signed)
        image_bits = None
        if plane.min() >= 0:
            plane, image_bits = without_overlays(plane)
        pixels = plane.reshape(pixels.shape)
        bits = (image_bits or bits) + (signed and image_bits is not None)
    if signed:
        return pixels, -float(1 << (bits - 1)), float((1 << (bits - 1)) - 1)
    return pixels, 0.0, float((1 << bits) - 1)


def grey_or_colour(rgb: np.ndarray, channels: int, where: object) -> np.ndarray:
    """Turn an RGB picture into a picture of 1 or 3 channels.

    Args:
        rgb: (rows, columns, 3) float32 in [0, 1].
        channels: 1 or 3.
        where: the file, for the error.

    Returns:
        (rows, columns) for one channel, which is the common value where the channels are equal and else the luma of
        ITU-R BT.601; rgb itself for three.

    Raises:
        InputError: one channel is asked for and the picture is coloured.
    """
    if channels == 3:
        return rgb
    spread = rgb.max(-1) - rgb.min(-1)
    if not spread.any():
        return np.ascontiguousarray(rgb[..., 0])
    share = float((spread > COLOUR_SPREAD).mean())
    if share > COLOUR_SHARE:
        raise InputError(
            f"the image is in colour ({share:.0%} of its pixels)", where, "give a grey radiograph, not a photograph"
        )
    if share:
        warnings.warn("coloured marks in a grey image were read as grey", RadiographWarning, stacklevel=2)
    return rgb @ np.array([0.299, 0.587, 0.114], np.float32)
