"""What a compressed frame says of itself, before a decoder believes it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple

from cxr_common.data.jpeg2000 import fault_of_jpeg2000
from cxr_common.data.scan import RadiographWarning

_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # SOF0-15 without DHT, JPG, DAC; SOF55 is JPEG-LS
_SCAN = 0xDA
JPEG_2000, LOSSLESS_JPEG, JPEG_LS = -1, 3, 55
_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  ")  # of JPEG and JPEG-LS, JPEG 2000, its wrapper


class Codestream(NamedTuple):
    """Header of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Attributes:
        process: number of the start of frame (ITU-T T.81 table B.1), such as 0 for baseline, 2 for progressive, 3
            for lossless JPEG, 55 for JPEG-LS; -1 for JPEG 2000, which has none.
        columns: of the image.
        rows: of the image.
        precision: bits a sample.
        signed: whether samples have a sign, which only JPEG 2000 can tell.
        complete: whether the end marker is there.
        fault: why it is damaged all the same, "" where it does not look so.
    """

    process: int
    columns: int
    rows: int
    precision: int
    signed: bool
    complete: bool
    fault: str = ""


def parse_codestream(frame: bytes) -> Codestream | None:
    """Read the header of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Args:
        frame: the bytes of one frame, joined from its fragments.

    Returns:
        None where it is none of them (RLE), or its header is damaged.
    """
    complete = b"\xff\xd9" in frame.rstrip(b"\0")[-64:]
    if frame[:2] == b"\xff\xd8":
        header = _jpeg_header(frame)
        return None if header is None else Codestream(*header, complete)
    # The SIZ marker follows SOC at once; a JP2 file wrapper has boxes before it.
    at = frame.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at < 0 or at + 43 > len(frame):
        return None
    fault = fault_of_jpeg2000(frame[at:]) if complete else ""
    return Codestream(JPEG_2000, *_jpeg2000_header(frame, at), complete, fault)


def _jpeg_header(frame: bytes) -> tuple[int, int, int, int, bool] | None:
    for marker, at in _jpeg_segments(frame):
        if marker in _START_OF_FRAME:
            rows, columns = (int.from_bytes(frame[at + i : at + i + 2], "big") for i in (5, 7))
            return marker - 0xC0, columns, rows, frame[at + 4], False
    return None


def _jpeg_segments(frame: bytes) -> Iterator[tuple[int, int]]:
    """Second byte of the marker, and place, of each segment up to the first scan."""
    at = 2
    while at + 9 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        yield marker, at
        if marker == _SCAN:
            return
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")


def scan_start(frame: bytes) -> int:
    """Where the first scan of a JPEG begins, after thumbnails in its header; the file's length without a scan."""
    return next((at for marker, at in _jpeg_segments(frame) if marker == _SCAN), len(frame))


def _jpeg2000_header(frame: bytes, at: int) -> tuple[int, int, int, bool]:
    x1, y1, x0, y0 = (int.from_bytes(frame[at + 8 + 4 * i : at + 12 + 4 * i], "big") for i in range(4))
    return x1 - x0, y1 - y0, (frame[at + 42] & 0x7F) + 1, frame[at + 42] > 0x7F


def join_fragments(pixel_data: bytes) -> bytes:
    """Join the fragments of encapsulated PixelData of one frame (DICOM PS3.5 A.4), without the offset table.

    Of several compressed images the first is taken, with a warning.

    Raises:
        ValueError: an item is damaged or longer than the data.
    """
    fragments: list[bytes] = []
    at = 0
    while at + 8 <= len(pixel_data):
        tag, size = pixel_data[at : at + 4], int.from_bytes(pixel_data[at + 4 : at + 8], "little")
        if tag == b"\xfe\xff\xdd\xe0":  # sequence delimitation
            break
        if tag != b"\xfe\xff\x00\xe0" or at + 8 + size > len(pixel_data):
            raise ValueError("an item of the encapsulated pixel data is damaged or cut off")
        fragments.append(pixel_data[at + 8 : at + 8 + size])
        at += 8 + size
    starts = [index for index, fragment in enumerate(fragments) if fragment.startswith(_STARTS)]
    if len(starts) > 1:
        reason = f"there are {len(starts)} compressed images where the tags say one: the first is taken"
        warnings.warn(reason, RadiographWarning, stacklevel=3)
        del fragments[starts[1] :]
    return b"".join(fragments[1:])
