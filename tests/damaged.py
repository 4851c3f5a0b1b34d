"""Damaged and foreign inputs by the hundred: what a folder from a hospital, a disk or the web may hold."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.image_files import (
    EXPLICIT,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    RLE,
    dicom_dataset,
    marker_picture,
    save_dicom,
    write_dicom,
    write_nifti,
)

Rng = np.random.Generator


def write_good_files(folder: Path, n: int = 5, seed: int = 0) -> list[Path]:
    """Write n readable radiographs, of changing format, size and encoding."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for i in range(n):
        picture = marker_picture(int(rng.integers(40, 90)), int(rng.integers(60, 90)))
        path = folder / f"good_{i:02d}"
        if i % 5 == 0:
            paths.append(write_dicom(path.with_suffix(".dcm"), picture, PixelSpacing=[0.2, 0.2]))
        elif i % 5 == 1:
            Image.fromarray(picture).save(path.with_suffix(".png"))
            paths.append(path.with_suffix(".png"))
        elif i % 5 == 2:
            paths.append(write_dicom(path, picture, JPEG_LOSSLESS, PhotometricInterpretation="MONOCHROME1"))
        elif i % 5 == 3:
            Image.fromarray(picture).save(path.with_suffix(".jpg"), quality=95)
            paths.append(path.with_suffix(".jpg"))
        else:
            paths.append(write_nifti(path.with_suffix(".nii.gz"), picture.T[..., None], np.diag([-0.2, -0.2, 1, 1])))
    return paths


def write_damaged_corpus(folder: Path, n: int = 200, seed: int = 0) -> list[tuple[Path, str]]:
    """Write n inputs none of which is a usable frontal radiograph.

    Args:
        folder: where; it is made.
        n: how many; the kinds of `KINDS` take turns, with other random details each time.
        seed: the same seed writes the same files.

    Returns:
        The path and the kind of each.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    kinds = list(KINDS)
    written = []
    for i in range(n):
        kind = kinds[i % len(kinds)]
        written.append((KINDS[kind](folder / f"bad_{i:03d}", rng), kind))
    return written


def _picture(rng: Rng, dtype: str = "uint8") -> np.ndarray:
    picture = marker_picture(int(rng.integers(40, 70)), int(rng.integers(60, 80)), dtype)
    return picture + rng.integers(0, 20, picture.shape).astype(dtype)


def _encoded(rng: Rng, file_format: str, picture: np.ndarray | None = None, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(_picture(rng) if picture is None else picture).save(file, file_format, **options)
    return file.getvalue()


def _write(path: Path, suffix: str, content: bytes) -> Path:
    path = path.with_name(path.name + suffix)
    path.write_bytes(content)
    return path


def _cut(content: bytes, rng: Rng, low: float = 0.3, high: float = 0.9) -> bytes:
    return content[: int(len(content) * rng.uniform(low, high))]


def _cut_dicom(path: Path, rng: Rng) -> Path:
    syntax = (EXPLICIT, JPEG_LOSSLESS, JPEG_2000_LOSSLESS, RLE)[rng.integers(4)]
    whole = write_dicom(path.with_suffix(".dcm"), _picture(rng), syntax).read_bytes()
    return _write(path, ".dcm", _cut(whole, rng, 0.05, 0.95))


def _cut_raster(path: Path, rng: Rng) -> Path:
    suffix, file_format = ((".png", "PNG"), (".jpg", "JPEG"), (".tif", "TIFF"))[rng.integers(3)]
    noise = rng.integers(0, 255, (64, 64)).astype("uint8")
    return _write(path, suffix, _cut(_encoded(rng, file_format, noise), rng))


def _empty(path: Path, rng: Rng) -> Path:
    return _write(path, (".dcm", ".png", ".nii.gz", "")[rng.integers(4)], b"")


def _random_bytes(path: Path, rng: Rng) -> Path:
    signature = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"\0" * 128 + b"DICM", b"NRRD0004\n", b"\x1f\x8b\x08")
    content = signature[rng.integers(len(signature))] + rng.bytes(int(rng.integers(1, 4000)))
    return _write(path, (".dcm", ".png", ".jpg", ".nrrd", "")[rng.integers(5)], content)


def _foreign(path: Path, rng: Rng) -> Path:
    choice = rng.integers(8)
    if choice < 3:
        suffix, file_format = ((".gif", "GIF"), (".bmp", "BMP"), (".webp", "WEBP"))[choice]
        return _write(path, suffix, _encoded(rng, file_format))
    contents = (
        b"%PDF-1.4\n%%EOF\n",
        b"PK\x03\x04" + rng.bytes(200),
        b"\x93NUMPY\x01\x00" + rng.bytes(200),
        b"# vtk DataFile Version 3.0\nVTK File\nASCII\nDATASET STRUCTURED_POINTS\n",
        b"Patient: case 1\nView: PA\n",
    )
    return _write(path, (".dcm", ".png", "")[rng.integers(3)], contents[choice - 3])


def _wrong_tags(path: Path, rng: Rng) -> Path:
    wrong = (
        {"Rows": None},
        {"Columns": None},
        {"Rows": 65535, "Columns": 65535},
        {"Rows": 9000, "Columns": 9000},
        {"BitsAllocated": 12},
        {"BitsAllocated": None},
        {"PhotometricInterpretation": None},
        {"PhotometricInterpretation": "GREYISH"},
        {"BitsAllocated": 32, "BitsStored": 32},
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"},
    )
    return write_dicom(path.with_suffix(".dcm"), _picture(rng), **wrong[rng.integers(len(wrong))])


def _zero_size(path: Path, rng: Rng) -> Path:
    choice = rng.integers(4)
    if choice == 0:
        return write_dicom(path.with_suffix(".dcm"), _picture(rng), Rows=0)
    if choice == 1:
        return write_dicom(path.with_suffix(".dcm"), _picture(rng), PixelData=b"")
    if choice == 2:
        return _write(path, ".png", _png_claiming(0, 20))
    content = bytearray(write_nifti(path.with_suffix(".nii"), _picture(rng), np.eye(4)).read_bytes())
    content[42:44] = b"\0\0"
    return _write(path, ".nii", bytes(content))


def _png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _huge_claim(path: Path, rng: Rng) -> Path:
    choice = rng.integers(4)
    if choice == 0:
        return _write(path, ".png", _png_claiming(60000, 60000))
    if choice == 1:
        return _write(path, ".png", _png_claiming(9000, 9000))
    if choice == 2:
        header = b"ObjectType = Image\nNDims = 2\nDimSize = 90000 90000\nElementType = MET_USHORT\n"
        return _write(path, ".mha", header + b"ElementDataFile = LOCAL\n" + rng.bytes(500))
    header = b"NRRD0004\ntype: unsigned short\ndimension: 2\nsizes: 90000 90000\nendian: little\nencoding: raw\n\n"
    return _write(path, ".nrrd", header + rng.bytes(500))


def _nan(path: Path, rng: Rng) -> Path:
    pixels = np.full((50, 60), np.nan, np.float32)
    pixels[: int(rng.integers(0, 10))] = 1.0
    if rng.integers(2):
        return _write(path, ".tif", _encoded(rng, "TIFF", pixels))
    return write_nifti(path.with_suffix(".nii.gz"), pixels.T, np.diag([-0.2, -0.2, 1, 1]))


def _volume(path: Path, rng: Rng) -> Path:
    volume = rng.integers(0, 1000, (20, 22, int(rng.integers(2, 9)))).astype(np.int16)
    choice = rng.integers(3)
    if choice == 0:
        return write_nifti(path.with_suffix((".nii", ".nii.gz")[rng.integers(2)]), volume, np.eye(4))
    sizes = " ".join(map(str, volume.shape))
    if choice == 1:
        header = f"ObjectType = Image\nNDims = 3\nDimSize = {sizes}\nElementType = MET_SHORT\nElementDataFile = LOCAL\n"
        return _write(path, ".mha", header.encode() + volume.tobytes())
    header = f"NRRD0004\ntype: short\ndimension: 3\nsizes: {sizes}\nendian: little\nencoding: raw\n\n"
    return _write(path, ".nrrd", header.encode() + volume.tobytes())


def _colour(path: Path, rng: Rng) -> Path:
    photograph = rng.integers(0, 255, (50, 60, 3)).astype("uint8")
    choice = rng.integers(5)
    if choice == 0:
        return write_dicom(path.with_suffix(".dcm"), photograph, Modality="XC")
    if choice == 1:
        return write_dicom(path.with_suffix(".dcm"), photograph)
    if choice == 2:
        return _write(path, ".jpg", _encoded(rng, "JPEG", photograph))
    if choice == 3:
        file = io.BytesIO()
        Image.fromarray(photograph).quantize(16).save(file, "PNG")
        return _write(path, ".png", file.getvalue())
    return _write(path, ".png", _encoded(rng, "PNG", photograph))


def _frames(path: Path, rng: Rng) -> Path:
    pictures = [Image.fromarray(_picture(rng).copy()) for _ in range(3)]
    choice = rng.integers(3)
    if choice == 0:
        cine = np.stack([marker_picture()] * 3)
        data = cine.tobytes()
        return write_dicom(path.with_suffix(".dcm"), cine[0], NumberOfFrames=3, PixelData=data)
    suffix, file_format = ((".tif", "TIFF"), (".png", "PNG"))[choice - 1]
    file = io.BytesIO()
    pictures[0].save(file, file_format, save_all=True, append_images=pictures[1:])
    return _write(path, suffix, file.getvalue())


def _no_decoder(path: Path, rng: Rng) -> Path:
    syntaxes = ("1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.102", "1.2.840.113619.5.2", "1.2.3.4.5")
    dataset = dicom_dataset(_picture(rng), RLE)
    dataset.file_meta.TransferSyntaxUID = EXPLICIT
    whole = save_dicom(path.with_suffix(".dcm"), dataset).read_bytes()
    syntax = syntaxes[rng.integers(len(syntaxes))].encode()
    old = EXPLICIT.encode() + b"\0"
    new = syntax + b"\0" * (len(syntax) % 2)
    at = whole.index(b"\x02\0\x10\0UI")  # the transfer syntax; the group length is corrected, not trusted
    at_group = whole.index(b"\x02\0\0\0UL")
    length = int.from_bytes(whole[at_group + 8 : at_group + 12], "little") + len(new) - len(old)
    content = whole[: at_group + 8] + length.to_bytes(4, "little") + whole[at_group + 12 : at + 6]
    content += len(new).to_bytes(2, "little") + new + whole[at + 8 + len(old) :]
    return _write(path, ".dcm", content)


def _damaged_codestream(path: Path, rng: Rng) -> Path:
    syntax = (JPEG_LOSSLESS, JPEG_2000_LOSSLESS)[rng.integers(2)]
    dataset = dicom_dataset(_picture(rng), syntax)
    choice = rng.integers(3)
    if choice == 0:
        dataset.Columns += 1
    else:
        content = bytearray(dataset.PixelData)
        start = 16 if choice == 1 else 40  # the magic number, or its first segments
        content[start : start + 60] = rng.bytes(60)
        dataset.PixelData = bytes(content)
    return save_dicom(path.with_suffix(".dcm"), dataset)


def _for_processing(path: Path, rng: Rng) -> Path:
    dx = {"Modality": "DX", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.1.1.1"}
    choices = ({"PresentationIntentType": "FOR PROCESSING"}, dx, {**dx, "PresentationIntentType": "FOR PROCESSING"})
    return write_dicom(path.with_suffix(".dcm"), _picture(rng, "uint16"), **choices[rng.integers(3)])


def _lateral(path: Path, rng: Rng) -> Path:
    choices = (
        {"ViewPosition": "LL"},
        {"ViewPosition": "LATERAL"},
        {"ViewPosition": "RL"},
        {"ViewPosition": "", "PatientOrientation": ["A", "F"]},
        {"ViewPosition": "", "PatientOrientation": ["P", "F"]},
        {"ViewPosition": "", "SeriesDescription": "CHEST LAT"},
    )
    return write_dicom(path.with_suffix(".dcm"), _picture(rng), **choices[rng.integers(len(choices))])


def _no_pixels(path: Path, rng: Rng) -> Path:
    report = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.11", "Modality": "SR"}
    choices = ({}, report, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1", "Modality": "DOC"})
    return write_dicom(path.with_suffix(".dcm"), None, **choices[rng.integers(3)])


def _other_modality(path: Path, rng: Rng) -> Path:
    modality = ("CT", "MR", "US", "MG", "XA", "PT", "SEG")[rng.integers(7)]
    return write_dicom(path.with_suffix(".dcm"), _picture(rng, "uint16"), Modality=modality)


def _directory_record(path: Path, rng: Rng) -> Path:
    dataset = dicom_dataset(None, SOPClassUID="1.2.840.10008.1.3.10", Modality=None)
    return save_dicom(path.with_suffix(".dcm"), dataset)


def _damaged_nifti(path: Path, rng: Rng) -> Path:
    whole = write_nifti(path.with_suffix(".nii"), _picture(rng), np.diag([-0.2, -0.2, 1, 1])).read_bytes()
    path.with_suffix(".nii").unlink()
    choice = rng.integers(4)
    if choice == 0:
        return _write(path, ".nii", whole[: int(rng.integers(360, len(whole) - 1))])
    if choice == 1:
        return _write(path, ".nii.gz", _cut(gzip.compress(whole), rng))
    if choice == 2:
        return _write(path, ".nii", whole[:70] + struct.pack("<h", 9999) + whole[72:])  # no such data type
    return _write(path, ".nii.gz", gzip.compress(rng.bytes(500)))


def _damaged_itk(path: Path, rng: Rng) -> Path:
    metaimage = b"ObjectType = Image\nNDims = 2\nDimSize = 30 40\nElementType = MET_USHORT\nElementDataFile = "
    nrrd = b"NRRD0004\ntype: unsigned short\ndimension: 2\nsizes: 30 40\nendian: little\nencoding: raw\n"
    choice = rng.integers(4)
    if choice == 0:
        return _write(path, ".mha", metaimage + b"LOCAL\n" + rng.bytes(int(rng.integers(1, 2300))))
    if choice == 1:
        return _write(path, ".mhd", metaimage + b"not_here.raw\n")
    if choice == 2:
        return _write(path, ".nrrd", nrrd + b"\n" + rng.bytes(int(rng.integers(1, 2300))))
    return _write(path, ".nhdr", nrrd + b"data file: not_here.raw\n\n")


def _not_a_file(path: Path, rng: Rng) -> Path:
    path = path.with_suffix(".dcm")
    if rng.integers(2):
        os.mkfifo(path)
    else:
        path.symlink_to(path.with_name("moved_away.dcm"))
    return path


KINDS: dict[str, Callable[[Path, Rng], Path]] = {
    "cut off DICOM": _cut_dicom,
    "cut off picture": _cut_raster,
    "empty": _empty,
    "random bytes": _random_bytes,
    "foreign format": _foreign,
    "wrong tags": _wrong_tags,
    "zero size": _zero_size,
    "huge claim": _huge_claim,
    "not a number": _nan,
    "volume": _volume,
    "colour": _colour,
    "several frames": _frames,
    "no decoder": _no_decoder,
    "damaged codestream": _damaged_codestream,
    "for processing": _for_processing,
    "lateral": _lateral,
    "no pixel data": _no_pixels,
    "other modality": _other_modality,
    "DICOMDIR": _directory_record,
    "damaged NIfTI": _damaged_nifti,
    "damaged MHA or NRRD": _damaged_itk,
    "not a file": _not_a_file,
}
