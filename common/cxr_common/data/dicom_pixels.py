"""Decode the pixels of a single-frame DICOM image of any transfer syntax."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from cxr_common.data.bounded import bounded
from cxr_common.data.codestream import JPEG_2000, JPEG_LS, LOSSLESS_JPEG, Codestream, join_fragments, parse_codestream
from cxr_common.data.dicom_description import PixelDescription
from cxr_common.data.dicom_elements import integer
from cxr_common.data.jpeg_end import ends_early
from cxr_common.data.pydicom_compat import (
    Dataset,
    can_decode,
    decode,
    encapsulate,
    image_dataset,
    is_encapsulated,
    syntax_name,
)
from cxr_common.data.scan import RadiographWarning
from cxr_common.errors import InputError

_EXPORT_AGAIN = "copy or export the file again"
_CONVERT = "convert it to Explicit VR Little Endian"
_DECODERS = {
    "1.2.840.10008.1.2.4.5": "pylibjpeg[libjpeg]",  # JPEG baseline, extended, lossless: .50, .51, .57
    "1.2.840.10008.1.2.4.7": "pylibjpeg[libjpeg]",  # JPEG lossless, first order: .70
    "1.2.840.10008.1.2.4.8": "pyjpegls",  # JPEG-LS: .80, .81
    "1.2.840.10008.1.2.4.9": "pylibjpeg[openjpeg]",  # JPEG 2000: .90, .91
    "1.2.840.10008.1.2.4.2": "pylibjpeg[openjpeg]",  # HTJ2K: .201, .202, .203
}
_JPEG_START = b"\xff\xd8"
_JPEG = "1.2.840.10008.1.2.4."
#: Ends of the transfer syntaxes that each process of compression may stand in, the usual one first.
_SYNTAXES = {
    JPEG_2000: ("90", "91", "92", "93", "201", "202", "203"),
    JPEG_LS: ("80", "81"),
    0: ("50", "51"),
    1: ("51",),
    LOSSLESS_JPEG: ("70", "57"),
}


def decode_pixels(dataset: Dataset, description: PixelDescription, path: Path) -> tuple[np.ndarray, PixelDescription]:
    """Decode PixelData.

    Args:
        dataset: with PixelData.
        description: of its pixels.
        path: the file, for errors.

    Returns:
        (rows, columns) as stored, with whatever the unused high bits hold, or (rows, columns, 3) RGB; and the
        description, corrected where the compressed image has fewer bits than its tags say.

    Raises:
        InputError: the data are cut off or damaged, or no decoder for them is installed.
    """
    d = description
    name = syntax_name(d.transfer_syntax)
    element = dataset["PixelData"]
    compressed = is_encapsulated(d.transfer_syntax)
    if compressed is None:
        raise InputError(f"the transfer syntax {name} is not supported", path, _CONVERT)
    if compressed != bool(element.is_undefined_length):
        claim = "compressed" if compressed else "uncompressed"
        raise InputError(f"the transfer syntax says {claim} and the pixel data are not", path, _EXPORT_AGAIN)
    if compressed:
        d = _check_codestream(element.value, d, path)
        if not can_decode(d.transfer_syntax):
            package = _DECODERS.get(d.transfer_syntax[:21])
            action = f"pip install '{package}'" if package else _CONVERT
            raise InputError(f"no decoder for {name} is installed", path, action)
    else:
        needed = -(-_native_bits(d) // 8)
        if len(element.value) < needed:
            raise InputError(f"the pixel data are cut off: {len(element.value)} of {needed} bytes", path, _EXPORT_AGAIN)
        if len(element.value) > 2 * needed:  # more than an even length needs: the tags are of another image
            reason = f"there are {len(element.value)} bytes of pixel data where the tags say {needed}"
            raise InputError(reason, path, _EXPORT_AGAIN)
    elements = {
        "Rows": d.rows,
        "Columns": d.columns,
        "SamplesPerPixel": d.samples,
        "BitsAllocated": d.bits_allocated,
        "BitsStored": d.bits_stored,
        "HighBit": d.bits_stored - 1,
        "PixelRepresentation": int(d.signed),
        "PhotometricInterpretation": d.photometric,
        "NumberOfFrames": 1,
    }
    if d.samples > 1:
        elements["PlanarConfiguration"] = int(integer(dataset, "PlanarConfiguration") == 1)
    image = image_dataset(dataset, d.transfer_syntax, elements)
    try:
        pixels = bounded(lambda: _decode_whole(image), path) if compressed else decode(image)
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever they meet
        # pydicom lists its plug-ins' complaints line by line after a general one.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise InputError(f"the pixel data ({name}) cannot be decoded ({reason})", path, _EXPORT_AGAIN) from error
    if pixels.shape != (d.rows, d.columns) + ((3,) if d.samples == 3 else ()):
        raise InputError(f"the pixel data are of shape {pixels.shape}, not {d.rows} x {d.columns}", path, _EXPORT_AGAIN)
    return pixels, d


def _decode_whole(image: Dataset) -> np.ndarray:
    """Decode a compressed image, and raise ValueError where it ends before its last pixel."""
    pixels, frame = decode(image), join_fragments(image.PixelData)

    def decode_changed(content: bytes) -> np.ndarray:
        image.PixelData = encapsulate([content])
        return decode(image)

    if frame.startswith(_JPEG_START) and ends_early(frame, pixels, decode_changed):
        raise ValueError("it ends before its last pixel")
    return pixels


def _native_bits(d: PixelDescription) -> int:
    samples = 2 if d.photometric == "YBR_FULL_422" else d.samples
    return d.rows * d.columns * samples * d.bits_allocated


def _check_codestream(pixel_data: bytes, d: PixelDescription, path: Path) -> PixelDescription:
    """Refuse a cut off frame, which some decoders fill with grey, and one whose size is not the tags' size."""
    try:
        frame = join_fragments(pixel_data)
    except ValueError as error:
        raise InputError(str(error), path, _EXPORT_AGAIN) from error
    if not frame:
        raise InputError("the pixel data are empty", path, _EXPORT_AGAIN)
    codestream = parse_codestream(frame)
    if codestream is None:
        return d
    if (codestream.columns, codestream.rows) != (d.columns, d.rows):
        size = f"{codestream.columns} x {codestream.rows}"
        reason = f"the compressed image is {size}, its tags say {d.columns} x {d.rows}"
        raise InputError(reason, path, _EXPORT_AGAIN)
    if not codestream.complete:
        raise InputError("the compressed pixel data are cut off", path, _EXPORT_AGAIN)
    if codestream.fault:
        raise InputError(f"the compressed image is damaged: {codestream.fault}", path, _EXPORT_AGAIN)
    d = replace(d, transfer_syntax=_true_syntax(codestream, d.transfer_syntax))
    if codestream.precision < d.bits_stored:
        reason = f"BitsStored is {d.bits_stored}, the compressed image has {codestream.precision} bits"
        warnings.warn(reason, RadiographWarning, stacklevel=3)
        # Without a sign of its own the image has no negative values, which would take all bits of the tags.
        signed, stored = d.signed and codestream.signed, codestream.precision
        d = replace(d, bits_stored=stored, high_bit=stored - 1, signed=signed)
    if (codestream.precision <= 8) != (d.bits_allocated <= 8):  # decoders give as many bytes as it needs
        d = replace(d, bits_allocated=8 if codestream.precision <= 8 else 16)
    return d


def _true_syntax(codestream: Codestream, declared: str) -> str:
    """The transfer syntax of a compressed frame, which says itself how it is compressed."""
    known = [_JPEG + end for end in _SYNTAXES.get(codestream.process, ())]
    if not known or declared in known:
        return declared
    reason = f"the transfer syntax says {syntax_name(declared)}, the frame is {syntax_name(known[0])}"
    warnings.warn(reason, RadiographWarning, stacklevel=4)
    return known[0]
