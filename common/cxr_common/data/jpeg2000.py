"""Whether a JPEG 2000 codestream is whole: decoders fill what is missing or overwritten, and say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

#: Parts have numbers of 16 bits (ITU-T T.800 A.4.2).
_MOST_TILES = 65535
#: Coded pixels never have so many bytes of zeros in a row; empty packets have one each.
_LEAST_HOLE = 64
_SIZE, _CODING, _HIGH_THROUGHPUT = 0x51, 0x52, 0x50
_BYPASS = 0x01


def fault_of_jpeg2000(stream: bytes) -> str:
    """Why a codestream cannot be decoded to the picture it was made from; "" where it can.

    Damage that changes bytes within coded pixels to others of the same look is not found.

    Args:
        stream: from its start marker (FF4F) on.
    """
    header, start = _main_header(stream)
    if header is None or _SIZE not in header or _CODING not in header:
        return "its header is damaged"
    tiles = _tile_count(header[_SIZE])
    if not 1 <= tiles <= _MOST_TILES:
        return f"its header claims {tiles:,} tiles"
    ends = dict(_tile_parts(stream, start))
    if len(ends) < tiles:
        return f"it has {len(ends):,} of {tiles:,} tiles"
    longest = _longest_hole(header, tiles)
    if longest is not None and bytes(longest + 1) in stream[start : max(ends.values())]:
        return f"over {longest} bytes of it are zeros"
    return ""


def _main_header(stream: bytes) -> tuple[dict[int, bytes] | None, int]:
    """Segments before the first tile part by the second byte of their marker, and where they end."""
    segments: dict[int, bytes] = {}
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF:
        marker, size = stream[at + 1], int.from_bytes(stream[at + 2 : at + 4], "big")
        if marker == 0x90:  # start of a tile part
            return segments, at
        if size < 2:
            break
        segments.setdefault(marker, stream[at + 4 : at + 2 + size])
        at += 2 + size
    return None, at


def _numbers(segment: bytes, at: int, count: int) -> list[int]:
    return [int.from_bytes(segment[at + 4 * i : at + 4 * i + 4], "big") for i in range(count)]


def _tile_count(size: bytes) -> int:
    x1, y1, _, _, width, height, x0, y0 = _numbers(size, 2, 8)
    if not (width and height):
        return 0
    return ceil((x1 - x0) / width) * ceil((y1 - y0) / height)


def _tile_parts(stream: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Index and end of each tile part, as far as each begins where the one before it ends."""
    while stream[at : at + 2] == b"\xff\x90":
        tile, length = int.from_bytes(stream[at + 4 : at + 6], "big"), int.from_bytes(stream[at + 6 : at + 10], "big")
        end = at + length if length else len(stream)  # 0: to the end of the stream
        if end > len(stream) or end <= at:
            return
        yield tile, end
        at = end


def _longest_hole(header: dict[int, bytes], tiles: int) -> int | None:
    """Zeros in a row that a sound stream can have at most; None where raw bits are coded, which may all be zeros."""
    coding = header[_CODING]
    style, layers, levels = coding[0], int.from_bytes(coding[2:4], "big"), coding[5]
    if coding[8] & _BYPASS or _HIGH_THROUGHPUT in header:
        return None
    columns, rows = (a - b for a, b in zip(_numbers(header[_SIZE], 2, 2), _numbers(header[_SIZE], 10, 2), strict=True))
    precincts = 0
    for level in range(levels + 1):
        side = coding[9 + levels - level : 10 + levels - level] if style & 1 else b"\xff"
        wide, high = (1 << (side[0] & 15), 1 << (side[0] >> 4)) if side else (1, 1)
        # Rounded up for each tile's edges.
        precincts += (ceil(columns / (wide << level)) + 1) * (ceil(rows / (high << level)) + 1) + 4 * tiles
    components = int.from_bytes(header[_SIZE][34:36], "big")
    return _LEAST_HOLE + precincts * components * layers
