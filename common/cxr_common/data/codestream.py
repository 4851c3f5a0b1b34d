"""What a compressed frame says of itself, before a decoder believes it."""

from __future__ import annotations

from typing import NamedTuple

_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}  # SOF0-15 without DHT, JPG, DAC; SOF55 is JPEG-LS


class Codestream(NamedTuple):
    """Header of a JPEG, JPEG-LS or JPEG 2000 codestream.

    Attributes:
        columns: of the image.
        rows: of the image.
        precision: bits a sample.
        signed: whether samples have a sign, which only JPEG 2000 can tell.
        complete: whether the end marker is there.
    """

    columns: int
    rows: int
    precision: int
    signed: bool
    complete: bool


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
    else:
        header = _jpeg2000_header(frame)
    return None if header is None else Codestream(*header, complete)


def _jpeg_header(frame: bytes) -> tuple[int, int, int, bool] | None:
    at = 2
    while at + 9 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
        elif marker in _START_OF_FRAME:
            rows, columns = (int.from_bytes(frame[at + i : at + i + 2], "big") for i in (5, 7))
            return columns, rows, frame[at + 4], False
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None


def _jpeg2000_header(frame: bytes) -> tuple[int, int, int, bool] | None:
    # The SIZ marker follows SOC at once; a JP2 file wrapper has boxes before it.
    at = frame.find(b"\xff\x4f\xff\x51", 0, 4096)
    if at < 0 or at + 43 > len(frame):
        return None
    x1, y1, x0, y0 = (int.from_bytes(frame[at + 8 + 4 * i : at + 12 + 4 * i], "big") for i in range(4))
    return x1 - x0, y1 - y0, (frame[at + 42] & 0x7F) + 1, frame[at + 42] > 0x7F


def join_fragments(pixel_data: bytes) -> bytes:
    """Join the fragments of encapsulated PixelData of one frame (DICOM PS3.5 A.4), without the offset table.

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
    return b"".join(fragments[1:])
