"""The checked Image Pixel module of a DICOM image."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from cxr_common.data.dicom_elements import integer, text
from cxr_common.data.limits import check_size
from cxr_common.data.pydicom_compat import Dataset
from cxr_common.data.scan import RadiographWarning
from cxr_common.errors import InputError

_EXPORT_AGAIN = "copy or export the file again"
_COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


@dataclass(frozen=True)
class PixelDescription:
    """The checked Image Pixel module (PS3.3 C.7.6.3) and the transfer syntax."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    photometric: str
    transfer_syntax: str
    has_planes: bool = False  # overlay planes in the bits beyond the image

    @property
    def stored_range(self) -> tuple[float, float]:
        """Smallest and largest value that BitsStored and PixelRepresentation allow."""
        if self.signed:
            return -float(1 << (self.bits_stored - 1)), float((1 << (self.bits_stored - 1)) - 1)
        return 0.0, float((1 << self.bits_stored) - 1)


def describe_pixels(dataset: Dataset, transfer_syntax: str, path: Path) -> PixelDescription:
    """Check the Image Pixel module; what is absent and has one sensible value is filled in with a warning.

    Raises:
        InputError: rows, columns, bits or polarity are unknown or impossible.
    """

    def required(keyword: str) -> int:
        value = integer(dataset, keyword)
        if value is None or value <= 0:
            raise InputError(f"{keyword} is {'missing' if value is None else value}", path, _EXPORT_AGAIN)
        return value

    def filled(keyword: str, default: int, allowed: range | tuple[int, ...]) -> int:
        value = integer(dataset, keyword)
        if value is not None and value in allowed:
            return value
        warnings.warn(f"{keyword} is {value}, taken as {default}", RadiographWarning, stacklevel=3)
        return default

    rows, columns = required("Rows"), required("Columns")
    allocated = required("BitsAllocated")
    if allocated not in (1, 8, 16, 32):
        raise InputError(f"BitsAllocated of {allocated} is not supported", path, "convert it to 8 or 16 bits")
    stored = filled("BitsStored", allocated, range(1, allocated + 1))
    high_bit = integer(dataset, "HighBit")
    photometric = photometric_interpretation(dataset)
    grey = photometric in ("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR")
    if not grey and photometric not in _COLOUR:
        reason = f"PhotometricInterpretation is {photometric or 'missing'}: light and dark are unknown"
        raise InputError(reason, path, "export it as MONOCHROME2")
    samples = 1 if grey else 3
    # A palette makes colours of grey.
    check_size(columns, rows, path, 1 if photometric.startswith("MONO") else 3, -(-allocated // 8))
    given = integer(dataset, "SamplesPerPixel")
    if given not in (None, samples):
        raise InputError(f"SamplesPerPixel is {given} in an image of {photometric}", path, _EXPORT_AGAIN)
    signed = filled("PixelRepresentation", 0, (0, 1)) == 1
    if high_bit is None or not stored - 1 <= high_bit < allocated:
        if high_bit is not None:
            warnings.warn(f"HighBit is {high_bit}, taken as {stored - 1}", RadiographWarning, stacklevel=2)
        high_bit = stored - 1
    planes = _overlay_bits(dataset)
    lowest = min((bit for bit in planes if high_bit - stored < bit <= high_bit), default=None)
    if lowest is not None and lowest >= 8:
        kept = lowest - (high_bit + 1 - stored)
        reason = f"an overlay lies in bit {lowest} of {stored} bits: {kept} bits are image"
        warnings.warn(reason, RadiographWarning, stacklevel=2)
        high_bit, stored = lowest - 1, kept
    return PixelDescription(
        rows, columns, samples, allocated, stored, high_bit, signed, photometric, transfer_syntax, bool(planes)
    )


def photometric_interpretation(dataset: Dataset) -> str:
    """PhotometricInterpretation in capitals, without blanks that do not belong there; "" where absent."""
    photometric = text(dataset, "PhotometricInterpretation").upper().replace(" ", "")
    return "PALETTE COLOR" if photometric == "PALETTECOLOR" else photometric


def _overlay_bits(dataset: Dataset) -> list[int]:
    """Bits of the pixels that hold overlay planes, as was done until 2004 (PS3.3 C.9.2; PS3.5 8.1.2)."""
    bits = []
    for group in range(0x6000, 0x6020, 2):
        position = dataset.get((group, 0x0102))
        try:
            if position is not None and (group, 0x3000) not in dataset and int(position.value) > 0:
                bits.append(int(position.value))
        except (TypeError, ValueError):
            warnings.warn("OverlayBitPosition cannot be read and is ignored", RadiographWarning, stacklevel=3)
    return bits
