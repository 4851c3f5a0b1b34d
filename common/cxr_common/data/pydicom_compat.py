"""The one place that knows pydicom's versions: 3 has `pydicom.pixels`, 2.4 `pydicom.pixel_data_handlers`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

try:
    import pydicom
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.encaps import encapsulate
    from pydicom.filereader import _read_file_meta_info, read_preamble
    from pydicom.uid import UID

    HAS_PYDICOM = True
except ImportError:
    HAS_PYDICOM = False

_V3 = HAS_PYDICOM and int(pydicom.__version__.split(".")[0]) >= 3
if TYPE_CHECKING or _V3:
    from pydicom.pixels import apply_color_lut, apply_windowing, convert_color_space, get_decoder
elif HAS_PYDICOM:
    from pydicom.pixel_data_handlers.util import apply_color_lut, apply_windowing, convert_color_space

_RLE = "1.2.840.10008.1.2.5"
_JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")

__all__ = [
    "HAS_PYDICOM",
    "UID",
    "Dataset",
    "apply_color_lut",
    "apply_windowing",
    "byte_order",
    "can_decode",
    "decode",
    "encapsulate",
    "image_dataset",
    "is_encapsulated",
    "meta_length",
    "parse_dataset",
    "syntax_name",
    "transfer_syntax",
]


def parse_dataset(file: Any, pixels: bool = True) -> Dataset:
    """Parse an open DICOM file, with or without preamble and file meta information, up to its pixels or all of it."""
    return pydicom.dcmread(file, force=True, stop_before_pixels=not pixels)


def meta_length(file: BinaryIO) -> int:
    """Bytes of an open file before its dataset: preamble and file meta information."""
    file.seek(0)
    read_preamble(file, force=True)
    _read_file_meta_info(file)
    length = file.tell()
    file.seek(0)
    return length


def transfer_syntax(dataset: Dataset) -> str:
    """UID of the file meta information, or what reading found where that lacks it."""
    uid = dataset.file_meta.get("TransferSyntaxUID")
    if uid:
        return str(uid)
    if byte_order(dataset) == ">":
        return "1.2.840.10008.1.2.2"
    implicit = dataset.original_encoding[0] if _V3 else dataset.is_implicit_VR
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"


def is_encapsulated(transfer_syntax: str) -> bool | None:
    """Whether a transfer syntax has compressed pixel data; None if pydicom does not know it."""
    uid = UID(transfer_syntax)
    return uid.is_encapsulated if not uid.is_private and uid.is_transfer_syntax else None


def syntax_name(uid: str) -> str:
    """Name of a transfer syntax or SOP class; the UID itself where it is unknown."""
    return str(UID(uid).name)


def byte_order(dataset: Dataset) -> str:
    """Byte order that a dataset was read with, "<" or ">"."""
    little = dataset.original_encoding[1] if _V3 else dataset.is_little_endian
    return ">" if little is False else "<"


def image_dataset(source: Dataset, transfer_syntax: str, elements: dict[str, object]) -> Dataset:
    """A dataset of the pixel data of another and of checked elements only, so that no damaged one disturbs decoding.

    Args:
        source: dataset with PixelData.
        transfer_syntax: UID by which PixelData is encoded.
        elements: values by keyword.
    """
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = UID(transfer_syntax)
    for keyword, value in elements.items():
        setattr(image, keyword, value)
    image["PixelData"] = source["PixelData"]
    if not _V3:
        image.is_little_endian = image.file_meta.TransferSyntaxUID.is_little_endian
        image.is_implicit_VR = image.file_meta.TransferSyntaxUID.is_implicit_VR
    return image


def _handlers() -> list:
    """The pixel data handlers of pydicom 2.4 that are installed."""
    return [handler for handler in pydicom.config.pixel_data_handlers if handler.is_available()]


def _handler_name(handler: object) -> str:
    return getattr(handler, "__name__", "").rsplit(".", 1)[-1].removesuffix("_handler")


def can_decode(transfer_syntax: str) -> bool:
    """Whether an installed plug-in decodes a transfer syntax."""
    uid = UID(transfer_syntax)
    if not _V3:
        return any(handler.supports_transfer_syntax(uid) for handler in _handlers())
    try:
        return bool(get_decoder(uid).is_available)
    except NotImplementedError:
        return False


def decode(image: Dataset) -> np.ndarray:
    """Decode a single-frame image.

    Args:
        image: what `image_dataset` made.

    Returns:
        (rows, columns), or (rows, columns, 3), which is RGB. Unused high bits are as they are stored.
    """
    if not _V3:
        return _decode_by_handlers(image)
    decoder = get_decoder(image.file_meta.TransferSyntaxUID)
    options: dict[str, Any] = {"correct_unused_bits": False}  # the correction takes HighBit for BitsStored - 1
    if decoder.UID == _RLE:
        options["decoding_plugin"] = "pydicom"  # the other plug-in panics at damaged data, on the terminal
    if decoder.UID in _JPEG_LS and "pyjpegls" in decoder.available_plugins:
        options["decoding_plugin"] = "pyjpegls"  # what it finds damaged, another one would fill with anything
    pixels, _ = decoder.as_array(image, index=0, **options)
    return pixels


def _decode_by_handlers(image: Dataset) -> np.ndarray:
    jpeg_2000 = image.file_meta.TransferSyntaxUID in _JPEG_2000
    if jpeg_2000 and "pylibjpeg" in map(_handler_name, _handlers()):
        image.convert_pixel_data("pylibjpeg")  # Pillow, which would be first, shifts signed values
    pixels = image.pixel_array
    if jpeg_2000 and not image.PixelRepresentation:
        pixels = pixels & ((1 << image.BitsStored) - 1)  # of a codestream that is signed against its tags
    if str(image.PhotometricInterpretation).startswith("YBR_FULL"):
        pixels = convert_color_space(pixels, image.PhotometricInterpretation, "RGB")
    return pixels
