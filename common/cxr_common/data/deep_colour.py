"""What Pillow reads at half its depth or not at all: TIFF by tifffile, 16-bit colour and alpha of PNG by ITK."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.grey_range import GreyRange
from cxr_common.data.intensity import grey_or_colour, scale_by_type, turned_round
from cxr_common.data.limits import check_size
from cxr_common.data.orientation import EXIF_CODES, IDENTITY
from cxr_common.errors import InputError

_SAVE_AGAIN = "save it again as a grey TIFF or PNG of 8 or 16 bits"
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB = 0, 1, 2
_UNASSOCIATED_ALPHA = 2
_ORIENTATION_TAG = 274


@dataclass(frozen=True)
class Samples:
    """Decoded, not yet scaled.

    Attributes:
        pixels: (rows, columns, n): grey or red, green, blue, and what else the file has.
        colours: how many of the n are grey or colour, 1 or 3.
        has_alpha: whether the sample after them is opacity.
        inverse: whether 0 is white.
        stored_axes: how the upright picture lies in the stored one.
    """

    pixels: np.ndarray
    colours: int
    has_alpha: bool = False
    inverse: bool = False
    stored_axes: str = IDENTITY


def scale_samples(samples: Samples, channels: int, path: Path) -> tuple[np.ndarray, GreyRange]:
    """Scale by `scale_by_type` and bring to 1 or 3 channels; what is transparent shows no patient and is black."""
    picture = samples.pixels[..., : samples.colours]
    scaled, found = scale_by_type(picture, path)
    if samples.inverse:
        scaled = turned_round(scaled, picture)
    if samples.has_alpha and picture.dtype.kind == "u":
        opacity = samples.pixels[..., samples.colours, None].astype(np.float32)
        scaled = scaled * (opacity / np.iinfo(picture.dtype).max)
    return (grey_or_colour(scaled, channels, path) if samples.colours == 3 else scaled[..., 0]), found


def read_png(path: Path) -> Samples:
    """Read a PNG of 16 bits with colour or alpha."""
    try:
        import itk
    except ImportError as error:
        raise InputError("reading a colour PNG of 16 bits needs ITK", path, "pip install itk") from error
    image_io = itk.PNGImageIO.New()
    image_io.SetFileName(str(path))
    image_io.ReadImageInformation()
    count = image_io.GetNumberOfComponents()
    reader = itk.ImageFileReader[itk.Image[itk.Vector[itk.F, count], 2]].New(FileName=str(path), ImageIO=image_io)
    reader.Update()
    pixels = np.asarray(reader.GetOutput()).astype(np.uint16)
    return Samples(pixels, 3 if count >= 3 else 1, has_alpha=count in (2, 4))


def read_tiff(path: Path) -> Samples:
    """Read a grey or RGB TIFF: signed and wide integers, float of 16 to 64 bits, deep colour, BigTIFF.

    Raises:
        InputError: the file is damaged or has several pages, or its type, colour space or compression is not
            supported; it says which.
    """
    try:
        import tifffile
    except ImportError as error:
        raise InputError("reading a TIFF of this kind needs tifffile", path, "pip install tifffile") from error
    try:
        with tifffile.TiffFile(path) as file:
            if len(file.pages) > 1:
                raise InputError(f"the file holds {len(file.pages)} images", path, "give one file per image")
            page = file.pages[0]
            _check_page(page, file.filehandle.size, path)
            return _page_samples(page)
    except InputError:
        raise
    except Exception as error:  # tifffile's decoders raise whatever damaged bytes lead to
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(f"the TIFF cannot be read ({reason})", path, _SAVE_AGAIN) from error


def _page_samples(page: Any) -> Samples:
    pixels = page.asarray()
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    orientation = page.tags.get(_ORIENTATION_TAG)
    return Samples(
        np.atleast_3d(pixels),
        colours=3 if page.photometric == _RGB else 1,
        has_alpha=bool(page.extrasamples) and int(page.extrasamples[0]) == _UNASSOCIATED_ALPHA,
        inverse=page.photometric == _WHITE_IS_ZERO,
        stored_axes=EXIF_CODES.get(orientation.value if orientation else 1, IDENTITY),
    )


def _check_page(page: Any, size: int, path: Path) -> None:
    """Refuse a page that cannot be a radiograph before its pixels are decoded; `size` is the file's in bytes."""
    width, height = page.imagewidth, page.imagelength
    check_size(width, height, path, page.samplesperpixel, page.dtype.itemsize if page.dtype else 1)
    if page.photometric not in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB):
        name = getattr(page.photometric, "name", page.photometric)
        raise InputError(f"a TIFF of {name} pixels is not supported", path, _SAVE_AGAIN)
    if page.dtype is None or page.dtype.kind not in "buif":
        kind = page.dtype or f"{page.bitspersample} bits"
        raise InputError(f"pixels of type {kind} are not supported", path, _SAVE_AGAIN)
    if page.axes not in ("YX", "YXS", "SYX") or page.samplesperpixel > 4:
        raise InputError(f"a TIFF with {page.samplesperpixel} samples a pixel ({page.axes})", path, _SAVE_AGAIN)
    if any(start + count > size for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)):
        raise InputError("the image data are cut off", path, "copy or export it again")
