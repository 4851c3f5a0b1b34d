"""PNG, JPEG and TIFF, 8 and 16 bit, by Pillow."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from cxr_common.data.intensity import grey_or_colour, scale_by_percentiles, scale_by_range, warn_if_uniform
from cxr_common.data.limits import MAX_PIXELS, REDUCE
from cxr_common.data.orientation import EXIF_CODES, IDENTITY
from cxr_common.data.scan import RadiographWarning, Scan
from cxr_common.errors import InputError

_ORIENTATION_TAG = 274
_PHOTOMETRIC_TAG = 262
_BITS_TAG = 258
_SAVE_AGAIN = "save it again as PNG, or use the original"


def read_raster(path: Path, channels: int = 1) -> Scan:
    """Read a PNG, JPEG or TIFF.

    The intensities are scaled by the range of the stored type (8 or 16 bit), those of 32-bit and float files by
    percentiles. Resolution tags (pHYs, JFIF, TIFF) speak of print, not of the patient: the spacing is unknown.

    Args:
        path: the file.
        channels: 1 for grey, where colour is refused, or 3.

    Raises:
        InputError: the file cannot be read, has several pages or frames, or is in colour.
    """
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    except Image.DecompressionBombError as error:
        raise InputError("the image is too large", path, REDUCE) from error
    except UnidentifiedImageError as error:
        raise InputError("the file is damaged or of an unknown kind", path, _SAVE_AGAIN) from error
    with image:
        if image.width * image.height > MAX_PIXELS:
            raise InputError(f"the image is too large ({image.width} x {image.height})", path, REDUCE)
        frames = getattr(image, "n_frames", 1)
        if frames > 1:
            raise InputError(f"the file holds {frames} images", path, "give one file an image")
        try:
            image.load()
        except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error and more
            raise InputError(f"the image data are damaged or cut off ({error})", path, _SAVE_AGAIN) from error
        if 0 in image.size:
            raise InputError("the image has no pixels", path, _SAVE_AGAIN)
        scan = _scan(image, path, channels)
    warn_if_uniform(scan.pixels)
    return scan


def _scan(image: Image.Image, path: Path, channels: int) -> Scan:
    file_format = str(image.format)
    stored_axes = _stored_axes(image)
    tags = getattr(image, "tag_v2", {})
    if image.mode in ("F", "I") or image.mode.startswith("I;"):
        pixels = np.asarray(image)
        if image.mode == "F" or (image.mode == "I" and file_format == "TIFF"):
            scaled, low, high = scale_by_percentiles(pixels, path)
            source = "percentile"
        else:  # "I" is how older Pillow has a 16-bit PNG
            low, high, source = 0.0, float(2 ** tags.get(_BITS_TAG, (16,))[0] - 1), "dtype"
            scaled = scale_by_range(pixels, low, high)
        if tags.get(_PHOTOMETRIC_TAG) == 0:  # WhiteIsZero, which Pillow inverts for 8 bits only
            scaled = 1 - scaled
    else:
        low, high, source = 0.0, 1.0 if image.mode == "1" else 255.0, "dtype"
        scaled = _eight_bit(image, channels, path)
    if channels == 3 and scaled.ndim == 2:
        scaled = np.repeat(scaled[..., None], 3, axis=-1)
    return Scan(str(path), file_format, scaled, source, (low, high), stored_axes=stored_axes)


def _stored_axes(image: Image.Image) -> str:
    try:
        return EXIF_CODES.get(image.getexif().get(_ORIENTATION_TAG, 1), IDENTITY)
    except Exception:  # damaged EXIF is no reason to do without the image
        warnings.warn("the EXIF metadata are damaged and are ignored", RadiographWarning, stacklevel=2)
        return IDENTITY


def _eight_bit(image: Image.Image, channels: int, path: Path) -> np.ndarray:
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"), np.float32) / 255
    has_alpha = "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info
    if not has_alpha:
        return grey_or_colour(np.asarray(image.convert("RGB"), np.float32) / 255, channels, path)
    rgba = np.asarray(image.convert("RGBA"), np.float32) / 255
    # Over black: what is transparent shows no patient.
    return grey_or_colour(rgba[..., :3] * rgba[..., 3:], channels, path)
