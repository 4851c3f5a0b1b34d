"""Radiographs in NIfTI files, by nibabel."""

from __future__ import annotations

import gzip
import io
import math
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from cxr_common.data.limits import MAX_BYTES
from cxr_common.data.orientation import IDENTITY
from cxr_common.data.scan import Scan
from cxr_common.data.volume import as_picture, plane_axes, scaled_scan, upright_code, warn_of_more
from cxr_common.data.volume_header import file_beside
from cxr_common.errors import InputError

_MILLIMETRES = {"meter": 1000.0, "micron": 0.001}


def read_nifti(path: Path, channels: int = 1, any_view: bool = False) -> Scan:
    """Read a NIfTI of one slice, compressed or not, whatever its suffix; of a pair (.hdr and .img) the header is given.

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
    with ExitStack() as opened:
        file = opened.enter_context(_open(path))
        start = file.read(540)
        kind, in_two_files = _kind(start, nibabel)
        size = kind.header_class.template_dtype.itemsize
        # Extensions, which lie before the pixels, are read whole; from a compressed file they can be gigabytes.
        offset = float(kind.header_class(start[:size], check=False)["vox_offset"])
        if not offset < MAX_BYTES // 4:
            raise InputError("the file is damaged: its pixels start too late", path, "copy or export it again")
        file.seek(0)
        pixel_file = opened.enter_context(_open(_pixel_file(path))) if in_two_files else file
        try:
            files = {"image": FileHolder(fileobj=pixel_file)}
            if in_two_files:
                files["header"] = FileHolder(fileobj=file)
            image = kind.from_file_map(files)
        except nibabel.spatialimages.HeaderDataError as error:  # such as an intercept that is not finite
            raise InputError(f"the header is invalid ({error})", path, "export it again") from error
        scaled = image.dataobj.slope != 1 or image.dataobj.inter != 0  # which makes numbers of 8 bytes
        axes = plane_axes(image.shape, path, 1, 8 if scaled else image.get_data_dtype().itemsize)
        pixels = np.asanyarray(image.dataobj)
        # A compressed file is compared with its checksum where its end is read.
        pixel_file.seek(image.dataobj.offset + math.prod(image.shape) * image.get_data_dtype().itemsize)
        if pixel_file.read(1):
            warn_of_more()
    if pixels.dtype.names:  # RGB24 and RGBA32
        pixels = np.stack([pixels[name] for name in pixels.dtype.names[:3]], axis=-1)
    picture = as_picture(pixels, axes, len(image.shape))
    header = image.header
    affine = np.asarray(image.affine, np.float64)
    told = bool(header["sform_code"] or header["qform_code"]) and not np.allclose(affine, np.eye(4))
    # NIfTI is RAS+; the first two directions become left and posterior.
    directions = [affine[:3, axis] * (-1, -1, 1) for axis in axes]
    stored_axes = upright_code(directions, path, any_view) if told else IDENTITY
    factor = _MILLIMETRES.get(header.get_xyzt_units()[0], 1.0)
    zooms = [float(header.get_zooms()[axis]) * factor for axis in axes]
    return scaled_scan(path, "NIfTI", picture, channels, zooms, "pixdim", stored_axes)


def _open(path: Path) -> io.BufferedIOBase:
    with open(path, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if compressed else open(path, "rb")


def _kind(start: bytes, nibabel: Any) -> tuple[Any, bool]:
    """The class for a header that starts so, and whether its pixels are in a file of their own."""
    if start[4:8] in (b"n+2\0", b"ni2\0"):
        pair = start[4:8] == b"ni2\0"
        return (nibabel.Nifti2Pair if pair else nibabel.Nifti2Image), pair
    pair = start[344:348] == b"ni1\0"
    return (nibabel.Nifti1Pair if pair else nibabel.Nifti1Image), pair


def _pixel_file(path: Path) -> Path:
    """The .img beside a header, an ordinary file."""
    stem = path.name.removesuffix(".gz").rpartition(".")[0] or path.name
    names = [stem + suffix for suffix in (".img", ".img.gz", ".IMG")]
    there = [name for name in names if (path.parent / name).exists()]
    return file_beside((there or names)[0], path)
