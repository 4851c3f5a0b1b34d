"""Radiographs in NIfTI files, by nibabel."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from cxr_common.data.limits import MAX_BYTES
from cxr_common.data.orientation import IDENTITY
from cxr_common.data.scan import Scan
from cxr_common.data.volume import as_picture, plane_axes, scaled_scan, upright_code
from cxr_common.errors import InputError

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
    with open(path, "rb") as magic:
        compressed = magic.read(2) == b"\x1f\x8b"
    with gzip.open(path) if compressed else open(path, "rb") as file:
        start = file.read(540)
        kind = nibabel.Nifti2Image if start[4:8] in (b"n+2\0", b"ni2\0") else nibabel.Nifti1Image
        if b"ni1\0" in start[344:348] or b"ni2\0" in start[4:8]:
            reason = "this is the header of a NIfTI in two files (.hdr and .img)"
            raise InputError(reason, path, "save it as one .nii file")
        size = kind.header_class.template_dtype.itemsize
        # Extensions, which lie before the pixels, are read whole; from a compressed file they can be gigabytes.
        offset = float(kind.header_class(start[:size], check=False)["vox_offset"])
        if not offset < MAX_BYTES // 4:
            raise InputError("the file is damaged: its pixels start too late", path, "copy or export it again")
        file.seek(0)
        try:
            image = kind.from_file_map({"image": FileHolder(fileobj=file)})
        except nibabel.spatialimages.HeaderDataError as error:  # such as an intercept that is not finite
            raise InputError(f"the header is invalid ({error})", path, "export it again") from error
        axes = plane_axes(image.shape, path)
        pixels = np.asanyarray(image.dataobj)
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
