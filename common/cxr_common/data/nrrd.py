"""Radiographs in NRRD files (and NHDR with its data file)."""

from __future__ import annotations

import re
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

#: Names of the types in the NRRD definition (teem.sourceforge.net/nrrd/format.html).
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "signed long long int"), "i8"),
    **dict.fromkeys(("int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_ENCODINGS = {
    "raw": "raw",
    **dict.fromkeys(("txt", "text", "ascii"), "ascii"),
    "hex": "hex",
    **dict.fromkeys(("gz", "gzip"), "gzip"),
    **dict.fromkeys(("bz2", "bzip2"), "bzip2"),
}
_ALIASES = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}
_SPACES = {"ras": "right-anterior-superior", "las": "left-anterior-superior", "lps": "left-posterior-superior"}
_MOST_COMPONENTS = 4
#: Kinds of an axis that is no direction of the picture.
_COMPONENT_KINDS = re.compile(r"vector|(rgb|hsv|xyz|rgba)-color|[34]-color|list|complex|point|stub|scalar")


def read_nrrd(path: Path, channels: int = 1, any_view: bool = False) -> Scan:
    """Read an NRRD of one slice.

    Args:
        path: the file; its pixels follow the header, or are in an ordinary file beside it.
        channels: 1 for grey, or 3.
        any_view: whether to accept a sagittal slice, which is a lateral view.

    Raises:
        InputError: the file is damaged, a volume, in colour, or a lateral view.
    """
    return scan_of(parse_nrrd(path), path, "NRRD", "space directions", channels, any_view)


def parse_nrrd(path: Path) -> VolumeHeader:
    """Read and check the header of an NRRD.

    Raises:
        InputError: a field is missing, makes no sense, or is not supported.
    """
    fields, end = _fields(path)
    (count,) = integers(fields.get("dimension", ""), "dimension", path, 1)
    if not 1 <= count <= MAX_AXES:
        raise damaged("dimension", count, path)
    sizes = integers(fields.get("sizes", ""), "sizes", path, count)
    kind = _TYPES.get(" ".join(fields.get("type", "").lower().split()))
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    endian = fields.get("endian", "little").lower()
    for field, wrong in (
        ("type", kind is None),
        ("encoding", encoding is None),
        ("endian", endian not in ("little", "big")),
    ):
        if wrong:
            raise damaged(field, fields.get(field, ""), path)
    data_file = fields.get("data file")
    if data_file is not None and (re.match(r"LIST\b", data_file) or "%" in data_file):
        raise InputError("its pixels are in several files", path, "save it as one file")
    skips = [integers(fields.get(field, "0"), field, path, 1)[0] for field in ("line skip", "byte skip")]
    if skips[0] < 0 or skips[0] > 1000 or skips[1] < -1:
        raise damaged("line skip or byte skip", skips, path)
    vectors = _vectors(fields, sizes, path)
    kinds = fields.get("kinds", "").lower().split()
    component = next((a for a, vector in enumerate(vectors) if vector is None), None)
    if component is None:
        component = next((a for a, k in enumerate(kinds[:count]) if _COMPONENT_KINDS.fullmatch(k)), None)
    space = [axis for axis in range(count) if axis != component]
    lengths = [1.0 if vector is None else float(np.linalg.norm(vector)) for vector in vectors]
    if "space directions" not in fields:
        lengths = _steps(fields, count, path)
        if np.isnan([lengths[axis] for axis in space]).any():  # unknown of one side is unknown
            lengths = [1.0] * count
        vectors = [np.zeros(3)] * count  # no orientation is told
    return VolumeHeader(
        tuple(sizes[axis] for axis in space),
        1 if component is None else sizes[component],
        0 if component is None else component,
        np.dtype((">" if endian == "big" else "<") + str(kind)),
        tuple(lengths[axis] for axis in space),
        tuple(_unit(vectors[axis], lengths[axis]) for axis in space),
        str(encoding),
        data_file,
        end if data_file is None else 0,
        *skips,
    )


def _unit(vector: np.ndarray | None, length: float) -> np.ndarray:
    return np.zeros(3) if vector is None or not length else vector / length


def _steps(fields: dict[str, str], count: int, path: Path) -> list[float]:
    """The distance along each axis, in mm; NaN for an axis that has none or where it is unknown."""
    return floats(fields.get("spacings", "1 " * count), "spacings", path, count)


def _vectors(fields: dict[str, str], sizes: list[int], path: Path) -> list[np.ndarray | None]:
    """The step along each axis in LPS+, in mm; zeros where no orientation is told, None for an axis of components."""
    text = fields.get("space directions")
    if text is None:
        steps = _steps(fields, len(sizes), path)
        return [
            None if np.isnan(step) and size <= _MOST_COMPONENTS else np.zeros(3)
            for step, size in zip(steps, sizes, strict=True)
        ]
    words = re.findall(r"none|\([^()]*\)", text)
    if len(words) != len(sizes):
        raise damaged("space directions", text, path)
    name = fields.get("space", "").lower()
    space = _SPACES.get(name, name).removesuffix("-time").split("-")
    signs = np.array([-1.0 if part in ("right", "anterior", "inferior") else 1.0 for part in space[:3]])
    vectors: list[np.ndarray | None] = []
    for word in words:
        if word == "none":
            vectors.append(None)
            continue
        parts = word.strip("()").replace(",", " ")
        vector = np.array(floats(parts, "space directions", path, min(len(parts.split()), 4)))[:3]
        vectors.append(vector * signs if len(vector) == len(signs) == 3 else vector)
    return vectors


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The lines ``field: value`` up to an empty line or the file's end, and where they end."""
    fields: dict[str, str] = {}
    with open(path, "rb") as file:
        file.readline(MAX_HEADER)  # the magic
        while line := header_text(file.readline(MAX_HEADER)):
            if not line.strip():
                break
            if file.tell() > MAX_HEADER:
                raise InputError("the file is damaged: its header has no end", path, "copy or export it again")
            field, _, value = line.partition(": ")
            field = " ".join(field.lower().split())
            if _ and not line.startswith("#"):
                add_field(fields, _ALIASES.get(field, field), value.strip(), path)
        return fields, file.tell()
