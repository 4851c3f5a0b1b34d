"""PNG, JPEG and TIFF by Pillow; what it cannot read faithfully is read by `deep_colour`."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile, UnidentifiedImageError

from cxr_common.data.bounded import bounded
from cxr_common.data.codestream import parse_codestream
from cxr_common.data.contrast import warn_of_contrast
from cxr_common.data.deep_colour import Samples, read_png, read_tiff, scale_samples
from cxr_common.data.grey_range import GreyRange
from cxr_common.data.intensity import grey_or_colour, scale_by_type, turned_round
from cxr_common.data.jpeg_end import ends_early
from cxr_common.data.limits import REDUCE, check_size
from cxr_common.data.orientation import EXIF_CODES, IDENTITY
from cxr_common.data.scan import RadiographWarning, Scan
from cxr_common.errors import InputError

_ORIENTATION_TAG = 274
_PHOTOMETRIC_TAG = 262
_BITS_TAG = 258
_SAMPLE_FORMAT_TAG = 339
_SIGNED = 2
_TIFF, _BIG_ENDIAN_BIGTIFF = (b"II*\0", b"MM\0*", b"II+\0"), b"MM\0+"
#: Bytes of a value in Pillow's deep modes.
_BYTES = {"F": 4, "I": 4}
_SAVE_AGAIN = "save it again as PNG, or use the original"


def read_raster(path: Path, channels: int = 1) -> Scan:
    """Read a PNG, JPEG or TIFF.

    Grey values are scaled by `intensity.scale_by_type`. Resolution tags (pHYs, JFIF, TIFF) speak of print, not of the
    patient: the spacing is unknown.

    Args:
        path: the file.
        channels: 1 for grey, where colour is refused, or 3.

    Raises:
        InputError: the file cannot be read, has several pages or frames, or is in colour.
    """
    with open(path, "rb") as file:
        head = file.read(32)
    image = _open(path, head)
    if image is None:
        scan = _deep_scan(read_tiff(path), "TIFF", channels, path)
    else:
        with image:
            _load(image, path)
            if image.format == "PNG" and head[24] == 16 and not image.mode.startswith("I"):
                # Colour or alpha of 16 bits, of which Pillow keeps 8.
                samples = replace(read_png(path), stored_axes=_stored_axes(image))
                scan = _deep_scan(samples, "PNG", channels, path)
            else:
                scan = _scan(image, path, channels)
    warn_of_contrast(scan.pixels)
    return scan


def _open(path: Path, head: bytes) -> Image.Image | None:
    """Open by Pillow, or None for a TIFF that it cannot read faithfully."""
    if head.startswith(_BIG_ENDIAN_BIGTIFF):  # Pillow takes it for an ordinary one, and warns of what it finds there
        return None
    try:
        image = Image.open(path, formats=("PNG", "JPEG", "TIFF"))
    except Image.DecompressionBombError as error:
        raise InputError("the image is too large", path, REDUCE) from error
    except UnidentifiedImageError as error:
        if head.startswith(_TIFF):
            return None
        jpeg = parse_codestream(path.read_bytes()) if head.startswith(b"\xff\xd8") else None
        if jpeg is not None and jpeg.precision != 8:
            reason = f"a JPEG of {jpeg.precision} bits is not supported"
            raise InputError(reason, path, "save it as PNG, or give the DICOM") from error
        raise InputError("the file is damaged or of an unknown kind", path, _SAVE_AGAIN) from error
    if image.format == "TIFF" and not _is_faithful(image):
        image.close()
        return None
    return image


def _load(image: Image.Image, path: Path) -> None:
    depth = _BYTES.get(image.mode.partition(";")[0], 1)
    check_size(image.width, image.height, path, len(image.getbands()), depth)
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise InputError(f"the file holds {frames} images", path, "give one file per image")
    try:
        if image.info.get("progressive") and isinstance(image, ImageFile.ImageFile):
            _load_progressive(image, path)
        image.load()
        if image.format == "JPEG" and _ends_early(image, path):
            raise ValueError("it ends before its last pixel")
    except InputError:
        raise
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error and more
        raise InputError(f"the image data are damaged or cut off ({error})", path, _SAVE_AGAIN) from error
    if 0 in image.size:
        raise InputError("the image has no pixels", path, _SAVE_AGAIN)


def _ends_early(image: Image.Image, path: Path) -> bool:
    def pixels(content: bytes) -> np.ndarray:
        return np.asarray(Image.open(io.BytesIO(content), formats=("JPEG",)))

    def decode(content: bytes) -> np.ndarray:
        return bounded(lambda: pixels(content), path) if image.info.get("progressive") else pixels(content)

    return ends_early(path.read_bytes(), np.asarray(image), decode)


def _load_progressive(image: ImageFile.ImageFile, path: Path) -> None:
    """Decode a progressive JPEG within limits: each of its scans, perhaps hundreds, goes over all pixels."""
    content = bounded(image.tobytes, path)
    image.load_prepare()
    image.frombytes(content)
    image.tile = []


def _scan(image: Image.Image, path: Path, channels: int) -> Scan:
    file_format = str(image.format)
    stored_axes = _stored_axes(image)
    if image.mode in ("F", "I") or image.mode.startswith("I;"):
        scaled, (low, high, source) = _deep(image, path)
    else:
        low, high, source = 0.0, 1.0 if image.mode == "1" else 255.0, "dtype"
        scaled = _eight_bit(image, channels, path)
    if channels == 3 and scaled.ndim == 2:
        scaled = np.repeat(scaled[..., None], 3, axis=-1)
    return Scan(str(path), file_format, scaled, source, (low, high), stored_axes=stored_axes)


def _deep_scan(samples: Samples, file_format: str, channels: int, path: Path) -> Scan:
    scaled, (low, high, rule) = scale_samples(samples, channels, path)
    if channels == 3 and scaled.ndim == 2:
        scaled = np.repeat(scaled[..., None], 3, axis=-1)
    return Scan(str(path), file_format, scaled, rule, (low, high), stored_axes=samples.stored_axes)


def _is_faithful(image: Image.Image) -> bool:
    """Whether Pillow keeps a TIFF's values: it takes signed bytes as unsigned and halves the bits of deep colour."""
    tags = getattr(image, "tag_v2", {})
    bits, kind = tags.get(_BITS_TAG, (1,)), tags.get(_SAMPLE_FORMAT_TAG, (1,))[0]
    if max(bits) <= 8:
        return kind != _SIGNED
    return len(bits) == 1 and (bits[0] <= 16 or kind != 1)


def _deep(image: Image.Image, path: Path) -> tuple[np.ndarray, GreyRange]:
    """Grey of more than 8 bits."""
    tags = getattr(image, "tag_v2", {})
    pixels = np.asarray(image)
    bits = None
    if image.mode != "F":
        depth = tags.get(_BITS_TAG, (16,))[0]  # a PNG's is 16, whatever type Pillow keeps it in
        if depth <= 16:
            signed = tags.get(_SAMPLE_FORMAT_TAG, (1,))[0] == _SIGNED
            pixels, bits = pixels.astype(np.int16 if signed else np.uint16), None if signed else depth
    scaled, found = scale_by_type(pixels, path, bits)
    if tags.get(_PHOTOMETRIC_TAG) == 0:  # WhiteIsZero, which Pillow inverts for 8 bits only
        scaled = turned_round(scaled, pixels)
    return scaled, found


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
    colours = np.asarray(image.convert("RGBA" if has_alpha else "RGB"), np.float32)
    colours /= 255
    if has_alpha:  # over black: what is transparent shows no patient
        opacity = colours[..., 3:]
        colours = colours[..., :3]
        colours *= opacity
    return grey_or_colour(colours, channels, path)
