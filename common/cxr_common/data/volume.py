"""Radiographs in volume formats: 2-D NIfTI by nibabel, MetaImage (MHA, MHD) and NRRD by ITK."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cxr_common.data.intensity import grey_or_colour, scale_by_percentiles, scale_by_range, warn_if_uniform
from cxr_common.data.orientation import IDENTITY, code_from_directions
from cxr_common.data.scan import MAX_PIXELS, Scan, valid_spacing
from cxr_common.errors import InputError

_DAMAGED = "the file is damaged or cut off"
_COPY_AGAIN = "copy or export it again"
_MILLIMETRES = {"meter": 1000.0, "micron": 0.001}


def read_nifti(path: Path, channels: int = 1, any_view: bool = False) -> Scan:
    """Read a NIfTI of one slice, compressed or not, whatever its suffix.

    The affine is honoured: a picture whose header says that it is mirrored is turned upright. The identity affine
    and a header without orientation say nothing, and the picture is taken as it is stored.

    Args:
        path: the file.
        channels: 1 for grey, or 3.
        any_view: whether to accept a sagittal slice, which is a lateral view.

    Raises:
        InputError: the file is damaged, a volume, in colour, or a lateral view.
    """
    try:
        import nibabel
        from nibabel.fileholders import FileHolder
    except ImportError as error:
        raise InputError("reading NIfTI needs nibabel", path, "pip install nibabel") from error
    with open(path, "rb") as start:
        compressed = start.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if compressed else open(path, "rb") as file:
            magic = file.read(348)
            if magic[344:348] == b"ni1\0":
                raise InputError("this is a NIfTI header without its image", path, "save it as one .nii file")
            file.seek(0)
            kind = nibabel.Nifti2Image if magic[4:8] in (b"n+2\0", b"ni2\0") else nibabel.Nifti1Image
            image = kind.from_file_map({"image": FileHolder(fileobj=file)})
            axes = _plane(image.shape, path)
            pixels = np.asanyarray(image.dataobj)
    except InputError:
        raise
    except Exception as error:  # nibabel, gzip and zlib raise whatever the damaged bytes lead to
        raise InputError(_DAMAGED, path, _COPY_AGAIN) from error
    if pixels.dtype.names:  # RGB24 and RGBA32
        pixels = np.stack([pixels[name] for name in pixels.dtype.names[:3]], axis=-1)
    picture = _picture(pixels, axes, len(image.shape))
    header = image.header
    affine = np.asarray(image.affine, np.float64)
    told = bool(header["sform_code"] or header["qform_code"]) and not np.allclose(affine, np.eye(4))
    # NIfTI is RAS+; the first two directions become left and posterior.
    directions = [affine[:3, axis] * (-1, -1, 1) for axis in axes]
    stored_axes = _stored_axes(directions, path, any_view) if told else IDENTITY
    factor = _MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)
    zooms = [float(header.get_zooms()[axis]) * factor for axis in axes]
    return _scan(path, "NIfTI", picture, channels, zooms, "pixdim", stored_axes)


def read_itk(path: Path, kind: str, channels: int = 1, any_view: bool = False) -> Scan:
    """Read a MetaImage or NRRD of one slice by ITK's reader of that very format.

    Args:
        path: the file.
        kind: "metaimage" or "nrrd".
        channels: 1 for grey, or 3.
        any_view: whether to accept a sagittal slice, which is a lateral view.

    Raises:
        InputError: the file is damaged, a volume, in colour, or a lateral view.
    """
    try:
        import itk
    except ImportError as error:
        raise InputError("reading MHA and NRRD needs ITK", path, "pip install itk") from error
    if kind == "metaimage":
        _check_local_data(path)
    try:
        # Naming the format keeps ITK from trying its other readers.
        image_io = itk.MetaImageIO.New() if kind == "metaimage" else itk.NrrdImageIO.New()
        image_io.SetFileName(str(path))
        image_io.ReadImageInformation()
        count = image_io.GetNumberOfDimensions()
        axes = _plane([image_io.GetDimensions(i) for i in range(count)], path)
        spacing = [image_io.GetSpacing(axis) for axis in axes]
        directions = [np.asarray(image_io.GetDirection(axis), np.float64) for axis in axes]
        pixels = np.asarray(itk.imread(str(path), imageio=image_io))
    except InputError:
        raise
    except Exception as error:  # RuntimeError of many lines of C++
        raise InputError(_DAMAGED, path, _COPY_AGAIN) from error
    has_channels = pixels.ndim == count + 1
    pixels = pixels.transpose(*range(count - 1, -1, -1), *([count] if has_channels else []))
    picture = _picture(pixels, axes, count)
    source = "ElementSpacing" if kind == "metaimage" else "space directions"
    name = "MetaImage" if kind == "metaimage" else "NRRD"
    return _scan(path, name, picture, channels, spacing, source, _stored_axes(directions, path, any_view))


def _plane(shape: Sequence[int], path: Path) -> tuple[int, int]:
    """The two axes of a picture among those of length 1."""
    if len(shape) < 2 or 0 in shape:
        raise InputError(f"the image of shape {tuple(shape)} has no pixels", path, _COPY_AGAIN)
    long = [axis for axis, size in enumerate(shape) if size > 1]
    if len(long) > 2:
        size = " x ".join(str(s) for s in shape)
        raise InputError(f"the image is a volume or a series ({size})", path, "give a single radiograph")
    if int(np.prod([int(s) for s in shape], dtype=object)) > MAX_PIXELS:
        raise InputError("the image is too large", path, f"reduce it to {MAX_PIXELS:,} pixels")
    while len(long) < 2:  # a picture one pixel wide
        long = sorted([*long, next(axis for axis in range(len(shape)) if axis not in long)])
    return long[0], long[1]


def _picture(pixels: np.ndarray, axes: tuple[int, int], count: int) -> np.ndarray:
    """Indexed by the file's axes (x, y, ..., [channel]) -> picture (rows, columns[, channel])."""
    others = tuple(axis for axis in range(count) if axis not in axes)
    return np.squeeze(pixels, others).swapaxes(0, 1)


def _stored_axes(directions: Sequence[np.ndarray], path: Path, any_view: bool) -> str:
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


def _scan(
    path: Path,
    file_format: str,
    picture: np.ndarray,
    channels: int,
    spacing: Sequence[float],
    source: str,
    stored_axes: str,
) -> Scan:
    if picture.dtype.kind not in "buif":
        raise InputError(f"pixels of type {picture.dtype} are not supported", path, "save it as integers or float")
    colour = picture.ndim == 3
    if colour and picture.shape[-1] not in (3, 4):
        raise InputError(f"the pixels have {picture.shape[-1]} components", path, "give a grey image")
    if colour:
        picture = picture[..., :3]
    # Only 8 bits are surely full range: wider integers hold detector values, often of 10 to 14 bits.
    if picture.dtype.itemsize == 1 and picture.dtype.kind in "bu":
        low, high, rule = 0.0, 1.0 if picture.dtype.kind == "b" else 255.0, "dtype"
        scaled = scale_by_range(picture.astype(np.uint8), low, high)
    else:
        scaled, low, high = scale_by_percentiles(picture, path)
        rule = "percentile"
    if colour:
        scaled = grey_or_colour(scaled, channels, path)
    elif channels == 3:
        scaled = np.repeat(scaled[..., None], 3, axis=-1)
    warn_if_uniform(scaled)
    # 1 x 1 is what every tool writes for an image without spacing; no radiograph has pixels of 1 mm.
    given = tuple(round(v, 6) for v in spacing) != (1.0, 1.0)
    valid = valid_spacing(spacing[0], spacing[1], source) if given else None
    return Scan(str(path), file_format, scaled, rule, (low, high), valid, source if valid else "", stored_axes)


def _check_local_data(path: Path) -> None:
    """Refuse a cut off MetaImage before ITK does, which writes to the terminal."""
    content = path.read_bytes()
    end = re.search(rb"ElementDataFile\s*=\s*LOCAL\s*?\n", content)
    sizes = re.search(rb"DimSize\s*=\s*([\d ]+)", content[: end.end()]) if end else None
    if end is None or sizes is None or re.search(rb"CompressedData\s*=\s*True", content[: end.end()]):
        return
    if len(content) - end.end() < int(np.prod([int(s) for s in sizes[1].split()], dtype=object)):
        raise InputError(_DAMAGED, path, _COPY_AGAIN)
