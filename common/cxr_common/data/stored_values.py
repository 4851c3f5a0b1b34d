"""Take the stored values out of the decoded pixels of a DICOM image, whatever its tags say of bits and signs."""

from __future__ import annotations

import warnings

import numpy as np

from cxr_common.data.dicom_description import PixelDescription
from cxr_common.data.misread import in_byte_order, with_sign
from cxr_common.data.overlay_bits import without_overlays
from cxr_common.data.pydicom_compat import is_encapsulated
from cxr_common.data.scan import RadiographWarning

_RLE = "1.2.840.10008.1.2.5"


def stored_values(raw: np.ndarray, description: PixelDescription) -> tuple[np.ndarray, tuple[float, float]]:
    """Take the stored values out of the allocated bits, and give the range that they can have.

    Pixels in the wrong byte order or with the wrong sign are put right (`misread`).

    What the bits beyond BitsStored hold is not defined (PS3.5 8.1.1): old files keep overlays there, which compression
    takes along. Or BitsStored is wrong. Where no overlay is declared, the smoother one of the two pictures is taken: a
    picture that lacks its highest bits wraps round, and one with foreign bits has steps at their edges. Overlays within
    BitsStored that nothing declares are taken out (`overlay_bits`).
    """
    if not is_encapsulated(description.transfer_syntax):
        raw = in_byte_order(raw)
    values, (low, high) = _whole_values(raw, description)
    bits = int(high).bit_length() + (low < 0)
    values, signed = with_sign(values, bits, low < 0)
    if signed:
        return values, (-float(1 << (bits - 1)), float((1 << (bits - 1)) - 1))
    overlaid = None
    if not description.has_planes and values.min() >= 0:
        values, overlaid = without_overlays(values)
    return values, (0.0, float((1 << (overlaid or bits)) - 1))


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
