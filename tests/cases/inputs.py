"""Small inputs of every kind that real people have met; a file's name begins with the row of the table it belongs to.

``../shared/cases/make_cases.py``, where it is there, writes other members of the same kinds under the same names.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from pathlib import Path

import nibabel
import numpy as np
import tifffile
from PIL import Image
from pydicom.dataset import Dataset

from cxr_common.data.pydicom_compat import meta_length
from tests.golden import SHARED
from tests.image_files import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    JPEG_2000_LOSSLESS,
    JPEG_LS,
    dicom_dataset,
    grey_picture,
    save_dicom,
    stored_grey,
    write_dicom,
)

SCRIPT = SHARED / "cases" / "make_cases.py"
GREY = grey_picture()
META = "ObjectType = Image\nNDims = {}\nDimSize = 4 4\nElementType = MET_UCHAR\nElementDataFile = {}\n"
NRRD = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 4 4\nencoding: {}\n{}\n"
HOSTILE = {
    "S1_axes.mha": META.format("-2147483648", "LOCAL").encode() + bytes(16),
    "S1_many.mha": META.format(70000, "LOCAL").encode() + bytes(16),
    "S1_several.nrrd": NRRD.format("raw", "data file: LIST 2\nsome.raw").encode() + bytes(16),
    "S1_bytes.nrrd": NRRD.format("raw", "endian: ").encode()[:-1] + b"\xfe\xff\x00\n\n" + bytes(16),
    "S2_parent.mha": META.format(2, "../outside.txt").encode(),
    "S2_absolute.nrrd": NRRD.format("raw", "data file: /etc/passwd\n").encode(),
    "S2_deeper.mhd": META.format(2, "sub/../../outside.txt").encode(),
}


def write_shared_inputs(folder: Path) -> None:
    """Write what make_cases.py makes."""
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True, capture_output=True)


def write_inputs(folder: Path) -> None:
    """Write our own members of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "expected_grey.npy", GREY.astype(np.float32))
    _declared_ranges(folder)
    _encodings(folder)
    _names_and_links(folder)
    _hostile(folder / "S_hostile")


def _table(bits: int, count: int) -> Dataset:
    table = Dataset()
    table.add_new(0x00283002, "US", [count, 0, bits])
    table.add_new(0x00283006, "US", list(range(count)))
    return table


def _declared_ranges(folder: Path) -> None:
    ten, twelve = stored_grey(10), stored_grey(12)
    write_dicom(folder / "A1_voi.dcm", ten, BitsStored=10, VOILUTSequence=[_table(16, 1024)])
    write_dicom(folder / "A1_modality.dcm", twelve, BitsStored=12, ModalityLUTSequence=[_table(16, 4096)])
    write_dicom(folder / "A2_used.dcm", ten, WindowCenter=32768, WindowWidth=65536)
    write_dicom(folder / "A2_signed.dcm", stored_grey(12, "int16"))
    wrapped = dicom_dataset(twelve, BitsStored=12)
    wrapped.PixelRepresentation = 1
    save_dicom(folder / "A2_wrapped.dcm", wrapped)
    write_dicom(folder / "A2_exchanged.dcm", twelve.byteswap(), BitsStored=12)
    padded = twelve.copy()
    padded[:20] = 65535
    write_dicom(folder / "A2_padding.dcm", padded, PixelPaddingValue=65535)
    Image.fromarray(twelve).save(folder / "A2_sixteen.png")
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(twelve.T), np.diag([-0.2, -0.2, 1, 1])), folder / "A2_a.nii")
    for syntax, name in ((JPEG_2000_LOSSLESS, "A3_j2k"), (JPEG_LS, "A3_ls")):
        dataset = dicom_dataset(twelve, syntax, BitsStored=12)
        if syntax == JPEG_2000_LOSSLESS:
            dataset.BitsStored, dataset.HighBit = 16, 15
        save_dicom(folder / f"{name}.dcm", dataset)
    overlaid = twelve.copy()
    overlaid[10:40, 10:60] |= 1 << 12
    write_dicom(folder / "A4_undeclared.dcm", overlaid, JPEG_2000_LOSSLESS)
    for name, window in (("A4_j2k", {}), ("A4_j2k_window", {"WindowCenter": 2048, "WindowWidth": 4096})):
        dataset = dicom_dataset(overlaid, JPEG_2000_LOSSLESS, **window)
        dataset.BitsStored, dataset.HighBit = 12, 11
        dataset.add_new(0x60000100, "US", 16)
        dataset.add_new(0x60000102, "US", 12)
        save_dicom(folder / f"{name}.dcm", dataset)
    framed = (30000 + twelve.astype(int) * 2).astype("uint16")
    framed[:2] = framed[-2:] = 65535
    write_dicom(folder / "A5_window.dcm", framed, WindowCenter=200, WindowWidth=400)


def _encodings(folder: Path) -> None:
    twelve = stored_grey(12)
    write_dicom(folder / "B1_two.dcm", twelve, BitsStored=12, PresentationLUTShape="INVERSE")
    one = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12}
    write_dicom(folder / "B1_one.dcm", 4095 - twelve, PresentationLUTShape="IDENTITY", **one)
    tifffile.imwrite(folder / "B2_bytes.tif", (np.round(GREY * 255).astype(int) - 128).astype("int8"))
    tifffile.imwrite(folder / "B2_words.tif", (np.round(GREY * 65535).astype(int) - 32768).astype("int16"))
    for syntax, name in ((EXPLICIT, "little"), (BIG_ENDIAN, "big")):
        entries = (np.arange(256) * 257).astype(">u2" if syntax == BIG_ENDIAN else "<u2").tobytes()
        dataset = dicom_dataset(np.round(GREY * 255).astype("uint8"), syntax, PhotometricInterpretation="PALETTE COLOR")
        for tag in (0x00281101, 0x00281102, 0x00281103):
            dataset.add_new(tag, "US", [256, 0, 16])
            dataset.add_new(tag + 0x100, "OW", entries)
        save_dicom(folder / f"B3_{name}.dcm", dataset)
    tifffile.imwrite(folder / "E1_float64.tif", GREY)
    tifffile.imwrite(folder / "E1_float16.tif", GREY.astype("float16"))
    tifffile.imwrite(folder / "E1_bigtiff.tif", stored_grey(16), bigtiff=True, byteorder=">")


def _names_and_links(folder: Path) -> None:
    inside, elsewhere = folder / "C2_links" / "in", folder / "C2_links" / "elsewhere"
    for made in (folder / "C1_latin1", inside / "real", elsewhere):
        made.mkdir(parents=True)
    picture = Image.fromarray(np.round(GREY * 255).astype("uint8"))
    for path in (folder / "C1_latin1" / "ok.png", inside / "real" / "a.png", elsewhere / "b.png"):
        picture.save(path)
    with open(os.fsencode(folder / "C1_latin1") + b"/r\xf6ntgen.png", "wb") as file:
        picture.save(file, "PNG")
    (inside / "linked").symlink_to("../elsewhere")
    (inside / "c.png").symlink_to("../elsewhere/b.png")


def _hostile(folder: Path) -> None:
    folder.mkdir()
    (folder.parent / "outside.txt").write_bytes(b"NOT A PICTURE...")
    for name, content in HOSTILE.items():
        (folder / name).write_bytes(content)
    Image.new("1", (8000, 8000)).save(folder / "S3_large.png")
    path = write_dicom(folder / "S3_inflates.dcm", np.zeros((8, 8), "uint16"), DEFLATED)
    deflate = zlib.compressobj(9, wbits=-15)
    with open(path, "rb") as file:
        start = file.read(meta_length(file))
    path.write_bytes(start + deflate.compress(bytes(400 << 20)) + deflate.flush())
    write_dicom(folder / "S4_slope.dcm", stored_grey(16), RescaleSlope="1e308", RescaleIntercept="1e308")
