"""What MetaImage and NRRD headers have in common: checked fields, and the pixels that they describe.

ITK reads both formats too. Its readers end the process, or never end, at some damaged headers, open whatever file a
header names, and take 3 s and half a gigabyte to import. So a header is checked here field by field, and NumPy reads
the pixels.
"""

from __future__ import annotations

import bz2
import gzip
import os
import re
import stat
import zlib
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import numpy as np

from cxr_common.data.limits import MAX_BYTES, inflate
from cxr_common.data.scan import Scan
from cxr_common.data.volume import as_picture, plane_axes, scaled_scan, upright_code, warn_of_more
from cxr_common.errors import InputError

COPY_AGAIN = "copy or export it again"
#: Longest header; those of real files have some hundred bytes, those that carry DICOM tags along some thousand.
MAX_HEADER = 1 << 20
MAX_AXES = 16
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class VolumeHeader:
    """One image of any number of axes, and where its pixels are.

    Attributes:
        sizes: pixels along each axis, fastest first, without the axis of the components.
        components: values per pixel.
        component_axis: where their axis is among those of the file, fastest first.
        dtype: of a value, with its byte order.
        spacing: mm along each axis; 1 where the header does not tell.
        directions: unit vector of each axis in LPS+.
        encoding: "raw", "zlib", "gzip", "bzip2", "ascii" or "hex".
        data_file: name of the file with the pixels; None where they follow the header.
        start: first byte of the pixels in their file; -1 where they are the last bytes of it.
        skip_lines: lines to pass over from there.
        skip_bytes: bytes to pass over after inflation; -1 where only the last bytes are pixels.
    """

    sizes: tuple[int, ...]
    components: int
    component_axis: int
    dtype: np.dtype
    spacing: tuple[float, ...]
    directions: tuple[np.ndarray, ...]
    encoding: str = "raw"
    data_file: str | None = None
    start: int = 0
    skip_lines: int = 0
    skip_bytes: int = 0


def damaged(field: str, value: object, path: Path) -> InputError:
    """The error for a field of a header that makes no sense."""
    return InputError(f"its header is damaged: {field} is {str(value)[:40] or 'empty'}", path, COPY_AGAIN)


def header_text(line: bytes) -> str:
    """A line of a header, whose names of files are UTF-8 in most files of today, and Latin-1 in old ones."""
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def add_field(fields: dict[str, str], field: str, value: str, path: Path) -> None:
    """Add a field of a header that has each once; it must not contradict itself."""
    if fields.setdefault(field, value) != value:
        raise InputError(f"its header has {field} twice: {fields[field][:40]}, {value[:40]}", path, COPY_AGAIN)


def integers(text: str, field: str, path: Path, count: int | None = None) -> list[int]:
    """The integers of a field, `count` of them unless that is None."""
    words = text.split()
    if not all(re.fullmatch(r"[+-]?\d{1,10}", word) for word in words) or len(words) != (count or len(words)):
        raise damaged(field, text, path)
    return [int(word) for word in words]


def floats(text: str, field: str, path: Path, count: int) -> list[float]:
    """The `count` numbers of a field."""
    try:
        values = [float(word) for word in text.split()[: count + 1]]
    except ValueError:
        values = []
    if len(values) != count:
        raise damaged(field, text, path)
    return values


def read_plane(header: VolumeHeader, path: Path) -> tuple[np.ndarray, tuple[int, int]]:
    """Read the pixels of a single slice.

    Args:
        header: checked.
        path: the file of the header.

    Returns:
        Picture (rows, columns) or (rows, columns, components), and the axes that are its columns and rows.

    Raises:
        InputError: it is a volume or too large, or its pixels are missing, damaged or cut off.
    """
    axes = plane_axes(header.sizes, path, header.components, header.dtype.itemsize)
    if header.components not in (1, 3, 4):
        raise InputError(f"the pixels have {header.components} components", path, "give a grey image")
    count = int(np.prod(header.sizes, dtype=np.int64)) * header.components
    values = _values(header, count, path)
    sizes = list(header.sizes)
    sizes.insert(header.component_axis, header.components)
    pixels = np.moveaxis(values.reshape(sizes, order="F"), header.component_axis, -1)
    pixels = pixels[..., 0] if header.components == 1 else pixels
    return as_picture(pixels.astype(header.dtype.newbyteorder("="), copy=False), axes, len(header.sizes)), axes


def scan_of(
    header: VolumeHeader, path: Path, file_format: str, source: str, channels: int = 1, any_view: bool = False
) -> Scan:
    """Read the single slice that a checked header describes.

    Args:
        header: of the file.
        path: the file; its pixels follow the header, or are in an ordinary file beside it.
        file_format: its name.
        source: the field that the spacing comes from.
        channels: 1 for grey, or 3.
        any_view: whether to accept a sagittal slice, which is a lateral view.

    Raises:
        InputError: the file is damaged, a volume, in colour, or a lateral view.
    """
    picture, axes = read_plane(header, path)
    spacing = [header.spacing[axis] for axis in axes]
    code = upright_code([header.directions[axis] for axis in axes], path, any_view)
    return scaled_scan(path, file_format, picture, channels, spacing, source, code)


def _values(header: VolumeHeader, count: int, path: Path) -> np.ndarray:
    needed = count * header.dtype.itemsize
    data_path = path if header.data_file is None else file_beside(header.data_file, path)
    with open(data_path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        # What comes after the pixels of a raw file is never read.
        at_end = header.encoding == "raw" and -1 in (header.start, header.skip_bytes)
        file.seek(max(size - needed, 0) if at_end else max(header.start, 0))
        for _ in range(header.skip_lines):
            file.readline(MAX_HEADER)
        if header.encoding in ("ascii", "hex"):
            return _text_values(file.read(MAX_BYTES), header, count, path)
        skip = 0 if at_end else header.skip_bytes
        content = _inflated(file, header.encoding, needed, skip, path)
    if len(content) < needed:
        raise InputError(f"the file is damaged or cut off: {len(content)} of {needed} bytes", path, COPY_AGAIN)
    if len(content) > needed:
        warn_of_more()
    return np.frombuffer(content[:needed], header.dtype)


def file_beside(name: str, path: Path) -> Path:
    """The file of the pixels, an ordinary one beside the header.

    A header comes from anywhere, so no folder is entered and no link followed on its word.

    Args:
        name: that the header gives.
        path: of the header.

    Raises:
        InputError: the name is not a plain one, or there is no such file.
    """
    if not name or name in (".", "..") or re.search(r"[/\\\0]", name) or not name.isprintable():
        reason = f"its pixels are said to be in {name[:80]!r}, which is not a plain file name"
        raise InputError(reason, path, "keep the two files side by side")
    for folder in (path.parent, Path(os.path.realpath(path)).parent):
        try:
            kind = os.lstat(folder / name).st_mode
        except OSError:
            continue
        if not stat.S_ISREG(kind):
            raise InputError(f"its pixels are in {name}, which is a link or not a file", path, "put the file there")
        return folder / name
    raise InputError(f"its pixels are in {name}, which is not there", path, "put the two files side by side")


def _inflated(file: BufferedReader, encoding: str, needed: int, skip: int, path: Path) -> bytes:
    """The needed bytes, and one more where there are more, whatever the file would inflate to."""
    if skip > MAX_BYTES:
        raise damaged("byte skip", skip, path)
    if encoding == "raw":
        file.seek(skip, os.SEEK_CUR)
        return file.read(needed if skip < 0 else needed + 1)
    limit = MAX_BYTES if skip < 0 else needed + skip + 1
    try:
        # Python's own files go on where one compressed part follows another, as parallel compressors write them.
        if encoding == "bzip2":
            content = bz2.BZ2File(file).read(limit)
        elif file.peek(2)[:2] == _GZIP:
            content = gzip.GzipFile(fileobj=file).read(limit)
        else:
            content = _inflated_zlib(file, limit)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError("the compressed pixels are damaged", path, COPY_AGAIN) from error
    return content[-needed:] if skip < 0 else content[skip:]


def _inflated_zlib(file: BufferedReader, limit: int) -> bytes:
    parts: list[bytes] = []
    for part in inflate(iter(lambda: file.read(1 << 20), b""), zlib.MAX_WBITS):
        parts.append(part)
        if sum(map(len, parts)) > limit:
            break
    return b"".join(parts)[:limit]


def _text_values(content: bytes, header: VolumeHeader, count: int, path: Path) -> np.ndarray:
    try:
        if header.encoding == "hex":
            read = bytes.fromhex(content.decode("ascii"))
            values = np.frombuffer(read[: len(read) - len(read) % header.dtype.itemsize], header.dtype)
        else:
            dark = np.frombuffer(content, np.uint8) > ord(" ")
            words = int(np.count_nonzero(dark[1:] > dark[:-1])) + int(dark[:1].sum())
            # NumPy's own text reader needs 8 bytes a number, a list of words 60. Asked for more numbers than there are,
            # it makes them up.
            values = np.fromstring(content.decode("ascii"), np.float64, min(words, count + 1), sep=" ")
    except ValueError as error:
        raise InputError("the pixels are damaged or cut off", path, COPY_AGAIN) from error
    if len(values) < count:
        raise InputError(f"the file is damaged or cut off: {len(values)} of {count} numbers", path, COPY_AGAIN)
    if len(values) > count:
        warn_of_more()
    return _of_type(values[:count], header.dtype, path)


def _of_type(values: np.ndarray, dtype: np.dtype, path: Path) -> np.ndarray:
    """Numbers as the type that the header declares; one that is no such number must not wrap round."""
    if dtype.kind in "ui" and values.dtype != dtype:
        wrong = ~(np.isfinite(values) & (values == np.floor(values)))
        wrong |= (values < np.iinfo(dtype).min) | (values >= float(np.iinfo(dtype).max) + 1)
        if wrong.any():
            raise InputError(f"the pixels are damaged: {values[wrong][0]:g} is no {dtype.name}", path, COPY_AGAIN)
    return values.astype(dtype, copy=False)
