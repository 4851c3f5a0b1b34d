"""Tell a file's format by its content: suffixes lie (a PNG called .dcm), and DICOM files often have none."""

from __future__ import annotations

import gzip
import stat
import zlib
from pathlib import Path

from cxr_common.data.limits import MAX_BYTES
from cxr_common.errors import InputError

SUPPORTED = "DICOM, PNG, JPEG, TIFF, NIfTI, MHA or NRRD"

_FOREIGN = {
    b"GIF8": "a GIF",
    b"BM": "a BMP",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x00\x00\x00\x0cjP": "a bare JPEG 2000 file",
    b"\xff\x4f\xff\x51": "a bare JPEG 2000 codestream",
    b"RIFF": "a WebP or other RIFF file",
    b"# vtk": "a VTK file",
}


def sniff_format(path: Path) -> str:
    """The format of a file: "dicom", "raster", "nifti", "metaimage" or "nrrd".

    Args:
        path: the file.

    Raises:
        InputError: there is no such file, it cannot be opened, is empty, or of no supported format.
    """
    head = _head(path)
    # A DICOM preamble may hold another format's signature (dual-personality TIFF), so it goes first.
    if head[128:132] == b"DICM":
        return "dicom"
    if head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return "raster"
    if head.startswith(b"\x1f\x8b"):
        head = _gunzipped_head(path)
        if _is_nifti(head):
            return "nifti"
        raise InputError("the file is compressed by gzip and is not a NIfTI file", path, "unpack it")
    if _is_nifti(head):
        return "nifti"
    if head.startswith(b"NRRD"):
        return "nrrd"
    if b"\0" not in head[:64] and (b"NDims" in head or b"ObjectType" in head):
        return "metaimage"
    if _is_bare_dicom(head):
        return "dicom"
    kind = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "of an unknown format")
    raise InputError(f"the file is {kind}", path, f"convert it to {SUPPORTED}")


def _head(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError("this is a folder", path, "give its files one by one")
        if not stat.S_ISREG(status.st_mode):  # a pipe would block for ever
            raise InputError("this is not an ordinary file", path, "give an image file")
        if status.st_size == 0:
            raise InputError("the file is empty", path, "copy or export it again")
        if status.st_size > MAX_BYTES:
            raise InputError(f"the file is too large ({status.st_size >> 20} MiB)", path, "give one file per image")
        with open(path, "rb") as file:
            return file.read(1024)
    except FileNotFoundError as error:
        raise InputError("there is no such file", path, "check the path") from error
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"the file cannot be opened ({reason})", path, "check the path and its rights") from error


def _gunzipped_head(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            return file.read(1024)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("the compressed file is damaged or cut off", path, "copy or export it again") from error


def _is_nifti(head: bytes) -> bool:
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0")


def _is_bare_dicom(head: bytes) -> bool:
    """Whether a file without preamble starts with an element of group 0002 or 0008, in either byte order."""
    if len(head) < 8:
        return False
    group, element = head[:2], head[2:4]
    little = group in (b"\x02\0", b"\x08\0") and element[1] <= 0x20
    big = group in (b"\0\x02", b"\0\x08") and element[0] <= 0x20
    explicit = head[4:6].isalpha() and head[4:6].isupper()
    size = int.from_bytes(head[4:8], "little" if little else "big")
    return (little or big) and (explicit or size < 1024)
