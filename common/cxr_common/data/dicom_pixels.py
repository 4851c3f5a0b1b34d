"""Decode the pixels of a single-frame DICOM image of any transfer syntax."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from cxr_common.data.bounded import bounded
from cxr_common.data.codestream import join_fragments, parse_codestream
from cxr_common.data.dicom_description import PixelDescription
from cxr_common.data.dicom_elements import integer
from cxr_common.data.overlay_bits import without_overlays
from cxr_common.data.pydicom_compat import Dataset, can_decode, decode, image_dataset, is_encapsulated, syntax_name
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
_RLE = "1.2.840.10008.1.2.5"


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
        pixels = bounded(lambda: decode(image), path) if compressed else decode(image)
    except InputError:
        raise
    except Exception as error:  # decoders raise whatever they meet
        # pydicom lists its plug-ins' complaints line by line after a general one.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()
        raise InputError(f"the pixel data ({name}) cannot be decoded ({reason})", path, _EXPORT_AGAIN) from error
    if pixels.shape != (d.rows, d.columns) + ((3,) if d.samples == 3 else ()):
        raise InputError(f"the pixel data are of shape {pixels.shape}, not {d.rows} x {d.columns}", path, _EXPORT_AGAIN)
    return pixels, d


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
    if codestream.precision < d.bits_stored:
        reason = f"BitsStored is {d.bits_stored}, the compressed image has {codestream.precision} bits"
        warnings.warn(reason, RadiographWarning, stacklevel=3)
        # Without a sign of its own the image has no negative values, which would take all bits of the tags.
        signed, stored = d.signed and codestream.signed, codestream.precision
        d = replace(d, bits_stored=stored, high_bit=stored - 1, signed=signed)
    if codestream.precision <= 8 < d.bits_allocated:  # decoders give one byte a pixel then
        d = replace(d, bits_allocated=8)
    return d


def stored_values(raw: np.ndarray, description: PixelDescription) -> tuple[np.ndarray, tuple[float, float]]:
    """Take the stored values out of the allocated bits, and give the range that they can have.

    What the bits beyond BitsStored hold is not defined (PS3.5 8.1.1): old files keep overlays there, which compression
    takes along. Or BitsStored is wrong. Where no overlay is declared, the smoother one of the two pictures is taken: a
    picture that lacks its highest bits wraps round, and one with foreign bits has steps at their edges. Overlays within
    BitsStored that nothing declares are taken out (`overlay_bits`).
    """
    values, stored_range = _whole_values(raw, description)
    if description.signed or description.has_planes or values.min() < 0:
        return values, stored_range
    values, bits = without_overlays(values)
    return values, stored_range if bits is None else (0.0, float((1 << bits) - 1))


def _whole_values(raw: np.ndarray, description: PixelDescription) -> tuple[np.ndarray, tuple[float, float]]:
    d = description
    packed = not is_encapsulated(d.transfer_syntax) or d.transfer_syntax == _RLE  # RLE keeps the allocated bytes
    if d.bits_stored == d.bits_allocated:
        return raw, d.stored_range
    shift = d.high_bit + 1 - d.bits_stored if packed else 0
    whole = raw.astype(np.int64) if d.bits_allocated > 16 else raw.astype(np.int32)
    mask = (1 << d.bits_stored) - 1
    values = (whole >> shift) & mask
    if d.signed:
        sign = 1 << (d.bits_stored - 1)
        values = (values ^ sign) - sign
    fits = (whole.min() >= 0 and whole.max() <= mask) or np.array_equal(values, whole)
    if shift or fits or d.has_planes:
        return values, d.stored_range
    if _roughness(values) <= _roughness(whole):
        if not packed:  # the encoder took them for image
            reason = f"the compressed image has more than the {d.bits_stored} bits of BitsStored, which are ignored"
            warnings.warn(reason, RadiographWarning, stacklevel=2)
        return values, d.stored_range
    warnings.warn(f"BitsStored is {d.bits_stored}, the image has larger values", RadiographWarning, stacklevel=2)
    largest = max(int(whole.max()), -1 - int(whole.min()))
    high = float((1 << largest.bit_length()) - 1)
    return whole, (-high - 1 if d.signed else 0.0, high)


def _roughness(values: np.ndarray) -> int:
    """Sum of the steps between neighbouring columns."""
    return int(np.abs(np.diff(values.astype(np.int64), axis=1)).sum())
