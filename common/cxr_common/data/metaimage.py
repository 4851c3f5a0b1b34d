"""Radiographs in MetaImage files (MHA, and MHD with its data file)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cxr_common.data.scan import Scan
from cxr_common.data.volume_header import (
    MAX_AXES,
    MAX_HEADER,
    VolumeHeader,
    add_field,
    damaged,
    floats,
    header_text,
    integers,
    scan_of,
)
from cxr_common.errors import InputError

_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    # Four bytes on every machine, as MetaIO has them.
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
#: What is read of a header; other fields, of which DICOM tags are some, may be there twice.
_FIELDS = frozenset(
    {"NDims", "DimSize", "ElementType", "ElementNumberOfChannels", "HeaderSize", "ElementSpacing", "ElementSize"}
    | {"TransformMatrix", "Rotation", "Orientation", "ElementDataFile"}
    | {"BinaryData", "CompressedData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB"}
)


def read_metaimage(path: Path, channels: int = 1, any_view: bool = False) -> Scan:
    """Read a MetaImage of one slice.

    Args:
        path: the file; its pixels follow the header, or are in an ordinary file beside it.
        channels: 1 for grey, or 3.
        any_view: whether to accept a sagittal slice, which is a lateral view.

    Raises:
        InputError: the file is damaged, a volume, in colour, or a lateral view.
    """
    return scan_of(parse_metaimage(path), path, "MetaImage", "ElementSpacing", channels, any_view)


def parse_metaimage(path: Path) -> VolumeHeader:
    """Read and check the header of a MetaImage.

    Raises:
        InputError: a field is missing, makes no sense, or is not supported.
    """
    fields, end = _fields(path)
    (count,) = integers(fields.get("NDims", ""), "NDims", path, 1)
    if not 2 <= count <= MAX_AXES:
        raise damaged("NDims", count, path)
    sizes = integers(fields.get("DimSize", ""), "DimSize", path, count)
    kind = fields.get("ElementType", "").upper()
    if kind.removesuffix("_ARRAY") not in _TYPES:
        raise damaged("ElementType", kind, path)
    (components,) = integers(fields.get("ElementNumberOfChannels", "1"), "ElementNumberOfChannels", path, 1)
    (start,) = integers(fields.get("HeaderSize", "0"), "HeaderSize", path, 1)
    if start < -1:
        raise damaged("HeaderSize", start, path)
    spacing = fields.get("ElementSpacing", fields.get("ElementSize", "1 " * count))
    matrix = next((fields[key] for key in ("TransformMatrix", "Rotation", "Orientation") if key in fields), None)
    rows = (
        np.eye(count) if matrix is None else np.reshape(floats(matrix, "TransformMatrix", path, count**2), (count, -1))
    )
    order = ">" if "TRUE" in (_flag(fields, "BinaryDataByteOrderMSB"), _flag(fields, "ElementByteOrderMSB")) else "<"
    name = fields["ElementDataFile"]
    if name.startswith("LIST") or "%" in name:
        raise InputError("its pixels are in several files", path, "save it as one file")
    local = name.upper() == "LOCAL"
    return VolumeHeader(
        tuple(sizes),
        components,
        0,
        np.dtype(order + _TYPES[kind.removesuffix("_ARRAY")]),
        tuple(floats(spacing, "ElementSpacing", path, count)),
        tuple(rows),
        "ascii"
        if _flag(fields, "BinaryData") == "FALSE"
        else "zlib"
        if _flag(fields, "CompressedData") == "TRUE"
        else "raw",
        None if local else name,
        start if start else end if local else 0,
    )


def _flag(fields: dict[str, str], key: str) -> str:
    value = fields.get(key, "").upper()
    return {"T": "TRUE", "1": "TRUE", "F": "FALSE", "0": "FALSE"}.get(value, value)


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The lines ``key = value`` up to that of the data file, which is the last, and where they end."""
    fields: dict[str, str] = {}
    with open(path, "rb") as file:
        while line := file.readline(MAX_HEADER):
            key, _, value = header_text(line).partition("=")
            if key.strip() in _FIELDS:
                add_field(fields, key.strip(), value.strip(), path)
            if key.strip() == "ElementDataFile" and line.endswith(b"\n"):
                return fields, file.tell()
            if file.tell() > MAX_HEADER:
                break
    raise InputError(
        "the file is damaged or cut off: its header names no ElementDataFile", path, "copy or export it again"
    )
