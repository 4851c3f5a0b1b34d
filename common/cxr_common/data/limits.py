"""How large an input may be. Every reader asks here before it decodes, so that no file takes the machine's memory.

A header claims sizes in a few bytes, and a compressed file of megabytes can inflate to gigabytes. So what a file
declares is checked before anything is decoded, and inflation ends at what was declared. Set the environment variable
named below before Python starts to read larger images.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator

from cxr_common.errors import InputError

#: Environment variable: millions of pixels of the largest image to read.
MEGAPIXELS_VARIABLE = "CXR_MAX_MEGAPIXELS"


def _megapixels() -> int:
    text = os.environ.get(MEGAPIXELS_VARIABLE, "")
    return int(text) if text.isdecimal() and 0 < len(text) < 6 and int(text) > 0 else 50


#: A detector of 43 x 43 cm with pixels of .1 mm has 18 million, a film scanned at .06 mm 42 million.
MAX_PIXELS = _megapixels() * 1_000_000
#: Bytes of a file, and of what inflates from it: MAX_PIXELS of 32 bits, and some more for what comes with them.
MAX_BYTES = 4 * MAX_PIXELS + (56 << 20)
#: What a user can do about an image of more pixels.
REDUCE = f"reduce it to {MAX_PIXELS:,} pixels, or set {MEGAPIXELS_VARIABLE}"
#: Colours and opacity of all pixels: each becomes a float of 4 bytes, of which two or three are held at a time.
MAX_SAMPLES = 2 * MAX_PIXELS
_CHUNK = 1 << 20


def check_size(columns: int, rows: int, where: object, samples: int = 1, sample_bytes: int = 1) -> None:
    """Refuse an image that would take too much memory, by what its header declares.

    Args:
        columns: of the image.
        rows: of the image.
        where: the file, for the error.
        samples: values per pixel: 1 for grey, 4 for colour and opacity.
        sample_bytes: bytes of a value.

    Raises:
        InputError: it has more than MAX_PIXELS pixels, MAX_SAMPLES samples or MAX_BYTES bytes.
    """
    pixels = columns * rows
    if pixels > MAX_PIXELS:
        raise InputError(f"the image is too large ({columns} x {rows})", where, REDUCE)
    if pixels * samples > MAX_SAMPLES or pixels * samples * sample_bytes > MAX_BYTES:
        size = f"{columns} x {rows} pixels of {samples} x {8 * sample_bytes} bits"
        raise InputError(f"the image is too large ({size})", where, f"save it as grey of 16 bits, or {REDUCE}")


def inflate(chunks: Iterable[bytes], window_bits: int) -> Iterator[bytes]:
    """Inflate a stream in pieces of at most a megabyte, so that a reader can stop at any size.

    Args:
        chunks: the compressed bytes.
        window_bits: of `zlib.decompressobj`: negative for a raw stream, 15 for zlib, 31 for gzip.

    Raises:
        zlib.error: the stream is damaged or cut off.
    """
    stream = zlib.decompressobj(window_bits)
    for chunk in chunks:
        while chunk and not stream.eof:
            yield stream.decompress(chunk, _CHUNK)
            chunk = stream.unconsumed_tail
    yield stream.flush()  # no more than the window: the last call left no input
    if not stream.eof:
        raise zlib.error("incomplete stream")
