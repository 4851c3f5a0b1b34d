"""Whether a JPEG ends before its picture does: decoders fill the rest with something and say nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cxr_common.data.codestream import JPEG_LS, LOSSLESS_JPEG, parse_codestream, scan_start

_END = b"\xff\xd9"
#: Bytes without a marker and without order.
_FILLER = bytes((61 * i + 7) % 251 for i in range(1024))


def ends_early(content: bytes, pixels: np.ndarray, decode: Callable[[bytes], np.ndarray]) -> bool:
    """Whether pixels are missing in front of a JPEG's end marker.

    A whole picture does not change where something is added behind its last pixel. Lossless ones, whose decoder takes
    long, are only decoded again where the last pixels are all alike, as the decoder makes those that are missing.

    Args:
        content: the file, or the frame of a DICOM image.
        pixels: (rows, columns, ...) decoded from it.
        decode: decodes changed content to the same shape.
    """
    codestream, end = parse_codestream(content), content.find(_END, scan_start(content))
    if codestream is None or codestream.process == JPEG_LS or end < 0:  # which is told of by its decoder
        return False
    corner = pixels[-1, -8:]
    if codestream.process == LOSSLESS_JPEG and (corner != corner[-1]).any():
        return False
    try:
        return not np.array_equal(decode(content[:end] + _FILLER + content[end:]), pixels)
    except Exception:  # it went on to decode what was added
        return True
