"""Write small radiographs of every format and encoding the reader knows, with what each header says given by hand."""

from __future__ import annotations

import io
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, generate_uid

from cxr_common.data import RadiographReader, RadiographWarning

EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
JPEG_LOSSLESS = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JPEG_2000_LOSSLESS = "1.2.840.10008.1.2.4.90"
JPEG_2000 = "1.2.840.10008.1.2.4.91"
RLE = "1.2.840.10008.1.2.5"
CR_CLASS = "1.2.840.10008.5.1.4.1.1.1"

_PYDICOM_3 = int(pydicom.__version__.split(".")[0]) >= 3


def marker_picture(rows: int = 40, columns: int = 60, dtype: str = "uint8") -> np.ndarray:
    """An asymmetric picture: mid grey, a white square at columns 45 to 54, rows 2 to 9 (top right), black elsewhere."""
    top = np.iinfo(dtype).max
    picture = np.full((rows, columns), top // 4, dtype)
    picture[2:10, 45:55] = top
    picture[rows - 5 :, : columns // 3] = 0
    return picture


def marker_corner(image: np.ndarray) -> tuple[int, int, int, int]:
    """The box (x0, y0, x1, y1) of the brightest pixels of a tensor (X, Y)."""
    x, y = np.nonzero(image >= image.max() - 0.02)
    return int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1


MARKER_BOX = (45, 2, 55, 10)


def grey_picture(rows: int = 60, columns: int = 90) -> np.ndarray:
    """A smooth picture of many grey values, float in [0, 1], both ends reached in a corner and nothing symmetric."""
    y, x = np.mgrid[:rows, :columns] / (rows - 1)
    grey = 0.4 + 0.3 * np.sin(5 * x + 2 * y) * np.cos(4 * y) + 0.3 * ((x - 1) ** 2 + (y - 0.3) ** 2 < 0.04)
    grey[:4, :4], grey[-4:, -4:] = 0, 1
    return grey


def stored_grey(bits: int, dtype: str = "uint16") -> np.ndarray:
    """`grey_picture` as integers that use so many bits."""
    return np.round(grey_picture() * ((1 << bits) - 1)).astype(dtype)


def dicom_dataset(pixels: np.ndarray | None, syntax: str = EXPLICIT, **elements: object) -> Dataset:
    """A CR image.

    Args:
        pixels: (rows, columns) or (rows, columns, 3), integers; None for no PixelData.
        syntax: transfer syntax UID.
        elements: values by keyword over the default ones; None removes an element. ``PixelData`` replaces the encoded
            pixels.
    """
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    dataset.SOPClassUID = CR_CLASS
    dataset.SOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID = "1.2.826.0.1.1"
    dataset.SeriesInstanceUID = "1.2.826.0.1.2"
    dataset.PatientID = "case-1"
    dataset.Modality = "CR"
    dataset.ViewPosition = "PA"
    if pixels is not None:
        bits = 8 * pixels.dtype.itemsize
        dataset.Rows, dataset.Columns = pixels.shape[:2]
        dataset.SamplesPerPixel = 1 if pixels.ndim == 2 else 3
        dataset.PhotometricInterpretation = "MONOCHROME2" if pixels.ndim == 2 else "RGB"
        if pixels.ndim == 3:
            dataset.PlanarConfiguration = 0
        dataset.BitsAllocated = dataset.BitsStored = bits
        dataset.HighBit = bits - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    for keyword, value in elements.items():
        if keyword == "PixelData":
            continue
        if value is None:
            if keyword in dataset:
                delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    if "BitsStored" in elements and "HighBit" not in elements and elements["BitsStored"] is not None:
        dataset.HighBit = int(elements["BitsStored"]) - 1  # type: ignore[call-overload]
    if pixels is not None or "PixelData" in elements:
        _set_pixel_data(dataset, pixels, syntax, elements.get("PixelData"))
    return dataset


def _set_pixel_data(dataset: Dataset, pixels: np.ndarray | None, syntax: str, given: object) -> None:
    if isinstance(given, bytes):
        data = given
    elif syntax in ENCODERS:
        data = encapsulate([ENCODERS[syntax](pixels, dataset)])
    else:
        data = pixels.astype(pixels.dtype.newbyteorder(">" if syntax == BIG_ENDIAN else "<")).tobytes()
        data += b"\0" * (len(data) % 2)
    wide = dataset.get("BitsAllocated", 8) != 8 and syntax not in ENCODERS
    dataset.add_new("PixelData", "OW" if wide else "OB", data)
    if UID(syntax).is_encapsulated:
        dataset["PixelData"].is_undefined_length = True


def write_dicom(path: Path, pixels: np.ndarray | None, syntax: str = EXPLICIT, **elements: object) -> Path:
    """Write what `dicom_dataset` makes, with preamble and file meta information."""
    return save_dicom(path, dicom_dataset(pixels, syntax, **elements))


def save_dicom(path: Path, dataset: Dataset) -> Path:
    """Write a dataset under either pydicom."""
    if "SOPInstanceUID" in dataset:
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.get("SOPClassUID", CR_CLASS)
    if _PYDICOM_3:
        pydicom.dcmwrite(path, dataset, enforce_file_format=True)
    else:
        syntax = dataset.file_meta.TransferSyntaxUID
        dataset.is_little_endian, dataset.is_implicit_VR = syntax != BIG_ENDIAN, syntax == IMPLICIT
        dataset.save_as(path, write_like_original=False)
    return path


def _jpeg_baseline(pixels: np.ndarray, _: Dataset) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def _jpeg_2000(pixels: np.ndarray, dataset: Dataset) -> bytes:
    from openjpeg.utils import encode_array

    return bytes(encode_array(pixels, bits_stored=dataset.BitsStored, photometric_interpretation=2))


def _jpeg_ls(pixels: np.ndarray, dataset: Dataset) -> bytes:
    import jpeg_ls

    unsigned = pixels.astype(f"u{pixels.dtype.itemsize}") & ((1 << dataset.BitsStored) - 1)
    return bytes(jpeg_ls.encode_array(unsigned.astype(f"u{pixels.dtype.itemsize}")))


def _rle(pixels: np.ndarray, _: Dataset) -> bytes:
    """RLE (PS3.5 annex G) of literal runs only, one segment a byte plane, the most significant first."""
    planes = pixels.astype(pixels.dtype.newbyteorder(">")).view(np.uint8).reshape(*pixels.shape, -1)
    segments = []
    for plane in range(planes.shape[-1]):
        coded = bytearray()
        for row in planes[..., plane]:
            for start in range(0, len(row), 128):
                run = row[start : start + 128].tobytes()
                coded += bytes([len(run) - 1]) + run
        segments.append(bytes(coded) + b"\0" * (len(coded) % 2))
    offsets = [64 + sum(map(len, segments[:i])) for i in range(len(segments))]
    header = [len(segments), *offsets] + [0] * (15 - len(segments))
    return b"".join(v.to_bytes(4, "little") for v in header) + b"".join(segments)


def _jpeg_lossless(pixels: np.ndarray, dataset: Dataset) -> bytes:
    """JPEG lossless (ITU-T T.81 annex H), predictor 1, with a Huffman table of 17 codes of 5 bits."""
    precision = int(dataset.BitsStored)
    rows, columns = pixels.shape
    values = pixels.astype(np.int64) & ((1 << precision) - 1)
    predicted = np.roll(values, 1, axis=1)
    predicted[1:, 0] = values[:-1, 0]
    predicted[0, 0] = 1 << (precision - 1)
    bits: list[str] = []
    for difference in (values - predicted).ravel().tolist():
        difference = (difference + 32768) % 65536 - 32768
        size = abs(difference).bit_length()
        bits.append(f"{size:05b}")
        if 0 < size < 16:
            bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
    stream = "".join(bits)
    stream += "1" * (-len(stream) % 8)
    coded = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\0")

    def segment(marker: int, body: bytes) -> bytes:
        return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body

    size = rows.to_bytes(2, "big") + columns.to_bytes(2, "big")
    frame = segment(0xC3, bytes([precision]) + size + bytes([1, 1, 0x11, 0]))
    table = segment(0xC4, bytes([0, 0, 0, 0, 0, 17] + [0] * 11) + bytes(range(17)))
    scan = segment(0xDA, bytes([1, 1, 0, 1, 0, 0]))
    return b"\xff\xd8" + frame + table + scan + coded + b"\xff\xd9"


ENCODERS: dict[str, Callable[[np.ndarray, Dataset], bytes]] = {
    JPEG_BASELINE: _jpeg_baseline,
    JPEG_LOSSLESS: _jpeg_lossless,
    JPEG_LOSSLESS_SV1: _jpeg_lossless,
    JPEG_LS: _jpeg_ls,
    JPEG_2000_LOSSLESS: _jpeg_2000,
    JPEG_2000: _jpeg_2000,
    RLE: _rle,
}


def lut_item(entries: np.ndarray, first: int, bits: int, count: int | None = None) -> Dataset:
    """An item of a ModalityLUTSequence or VOILUTSequence, entries in 16-bit words."""
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if first < 0 else "US", [len(entries) if count is None else count, first, bits])
    item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return item


def read_image(path: Path, channels: int = 1, any_view: bool = False) -> tuple[np.ndarray, dict]:
    """Image (X, Y) or (3, X, Y) and metadata, as the reader gives them."""
    reader = RadiographReader(channels, any_view)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RadiographWarning)  # they are in the metadata
        return reader.get_data(reader.read(path))


def write_nifti(path: Path, array: np.ndarray, affine: np.ndarray | None) -> Path:
    """A NIfTI of an array indexed (x, y, ...)."""
    import nibabel

    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def write_itk(
    path: Path,
    picture: np.ndarray,
    spacing: tuple[float, ...] = (0.2, 0.3),
    direction: np.ndarray | None = None,
    compression: bool = False,
) -> Path:
    """An MHA, MHD or NRRD (by suffix) of a picture (rows, columns), or of (slices, rows, columns)."""
    import itk

    image = itk.image_from_array(np.ascontiguousarray(picture))
    image.SetSpacing(list(spacing))
    if direction is not None:
        image.SetDirection(itk.matrix_from_array(np.asarray(direction, np.float64)))
    itk.imwrite(image, str(path), compression=compression)
    return path


if sys.byteorder != "little":  # the expectations of the tests are written for little-endian machines
    raise RuntimeError("these tests need a little-endian machine")
