"""Radiographs in MetaImage (MHA, MHD) and NRRD files, by ITK."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from cxr_common.data.scan import Scan
from cxr_common.data.volume import as_picture, plane_axes, scaled_scan, upright_code
from cxr_common.errors import InputError

_DAMAGED = "the file is damaged or cut off"
_COPY_AGAIN = "copy or export it again"
#: ITK's names of integer types; what is none of them stays float.
_TYPES: dict[str, type] = {
    "unsigned_char": np.uint8,
    "char": np.int8,
    "unsigned_short": np.uint16,
    "short": np.int16,
    "unsigned_int": np.uint32,
    "int": np.int32,
    "unsigned_long": np.uint64,
    "long": np.int64,
    "unsigned_long_long": np.uint64,
    "long_long": np.int64,
}


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
    # Naming the format keeps ITK from trying its other readers.
    image_io = itk.MetaImageIO.New() if kind == "metaimage" else itk.NrrdImageIO.New()
    image_io.SetFileName(str(path))
    image_io.ReadImageInformation()
    count = image_io.GetNumberOfDimensions()
    axes = plane_axes([image_io.GetDimensions(i) for i in range(count)], path)
    spacing = [image_io.GetSpacing(axis) for axis in axes]
    directions = [np.asarray(image_io.GetDirection(axis), np.float64) for axis in axes]
    if kind == "metaimage":
        _check_metaimage_data(path, image_io.GetImageSizeInBytes())
    components = image_io.GetNumberOfComponents()
    if components not in (1, 3, 4):
        raise InputError(f"the pixels have {components} components", path, "give a grey image")
    # ITK's Python has images of few types only; float holds what a radiograph can have.
    pixel_type = itk.F if components == 1 else itk.Vector[itk.F, components]
    reader = itk.ImageFileReader[itk.Image[pixel_type, count]].New(FileName=str(path), ImageIO=image_io)
    reader.Update()
    pixels = np.asarray(reader.GetOutput())
    pixels = pixels.astype(_TYPES.get(image_io.GetComponentTypeAsString(image_io.GetComponentType()), pixels.dtype))
    pixels = pixels.transpose(*range(count - 1, -1, -1), *range(count, pixels.ndim))
    picture = as_picture(pixels, axes, count)
    source = "ElementSpacing" if kind == "metaimage" else "space directions"
    name = "MetaImage" if kind == "metaimage" else "NRRD"
    return scaled_scan(path, name, picture, channels, spacing, source, upright_code(directions, path, any_view))


def _check_metaimage_data(path: Path, needed: int) -> None:
    """Refuse a MetaImage without its `needed` bytes of pixels before ITK does, which writes to the terminal."""
    content = path.read_bytes()
    data_file = re.search(rb"ElementDataFile\s*=[ \t]*([^\r\n]*?)[ \t]*\r?\n", content)
    if data_file is None:
        raise InputError(_DAMAGED, path, _COPY_AGAIN)
    header, name = content[: data_file.end()], data_file[1].decode("latin-1")
    if name != "LOCAL":
        if not name.startswith("LIST") and "%" not in name and not (path.parent / name).is_file():
            raise InputError(f"its pixels are in {name}, which is not there", path, "put the two files side by side")
        return
    compressed = re.search(rb"CompressedData\s*=\s*True", header)
    if not compressed and len(content) - len(header) < needed:
        raise InputError(_DAMAGED, path, _COPY_AGAIN)
