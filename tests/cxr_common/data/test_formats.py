"""Formats are told by content; foreign files are named, and nothing falls back to another reader."""

import os
import shutil

import itk
import numpy as np
import pytest
from PIL import Image

from cxr_common.data.formats import sniff_format
from cxr_common.errors import InputError
from cxr_common.transforms import LoadRadiographd
from tests.image_files import MARKER_BOX, marker_corner, marker_picture, read_image, write_dicom, write_itk, write_nifti

pytestmark = pytest.mark.filterwarnings("ignore:builtin type")  # SWIG's, at the import of ITK


@pytest.mark.parametrize("suffix", ["vtk", "gipl", "bmp", "img"])
def test_a_file_that_itk_alone_could_read_is_refused(tmp_path, suffix):
    path = write_itk(tmp_path / f"i.{suffix}", marker_picture())
    assert {40, 60} <= set(itk.imread(str(path)).shape)  # ITK does read it
    for name in (path, shutil.copy(path, tmp_path / "i.dcm"), shutil.copy(path, tmp_path / "i.png")):
        with pytest.raises(InputError, match="the file is|in two files"):
            LoadRadiographd("image")({"image": str(name)})


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (lambda p: write_dicom(p, marker_picture()), "dicom"),
        (lambda p: Image.fromarray(marker_picture()).save(p, "PNG"), "raster"),
        (lambda p: Image.fromarray(marker_picture()).save(p, "JPEG"), "raster"),
        (lambda p: Image.fromarray(marker_picture()).save(p, "TIFF"), "raster"),
    ],
)
@pytest.mark.parametrize("name", ["i", "i.dcm", "i.png", "i.nii.gz", "1.2.840.113619.2"])
def test_suffixes_do_not_matter(tmp_path, write, kind, name):
    write(tmp_path / name)
    assert sniff_format(tmp_path / name) == kind
    assert marker_corner(read_image(tmp_path / name)[0])[0] == MARKER_BOX[0]


def test_dicom_with_a_tiff_in_its_preamble(tmp_path):
    path = write_dicom(tmp_path / "i.dcm", marker_picture())
    path.write_bytes(b"II*\0" + path.read_bytes()[4:])
    assert marker_corner(read_image(path)[0]) == MARKER_BOX


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\0", "unknown format"),
        (b"GIF89a" + b"\0" * 50, "a GIF"),
        (b"%PDF-1.7", "a PDF"),
        (b"PK\x03\x04....", "a ZIP archive"),
        (b"\x93NUMPY\x01\0", "a NumPy array"),
        (b"Accession,View\n1,PA\n", "unknown format"),
        (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "a bare JPEG 2000"),
        (b"\x1f\x8b\x08", "damaged or cut off"),
    ],
)
def test_foreign_content(tmp_path, content, reason):
    (tmp_path / "i.dcm").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        sniff_format(tmp_path / "i.dcm")


def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe.dcm")  # opening it would wait for ever
    (tmp_path / "link.dcm").symlink_to(tmp_path / "gone.dcm")
    for name, reason in (
        ("pipe.dcm", "not an ordinary file"),
        ("link.dcm", "no such file"),
        ("none.png", "no such file"),
        (".", "this is a folder"),
        ("a" * 300, "cannot be opened"),
    ):
        with pytest.raises(InputError, match=reason) as caught:
            sniff_format(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)


def test_too_large_a_file(tmp_path):
    with open(tmp_path / "i.dcm", "wb") as file:
        file.truncate((1 << 30) + 1)  # sparse
    with pytest.raises(InputError, match="too large"):
        sniff_format(tmp_path / "i.dcm")


def test_the_marker_is_at_the_same_place_in_every_format(tmp_path):
    picture = marker_picture()
    Image.fromarray(picture).save(tmp_path / "a.png")
    Image.fromarray(picture).save(tmp_path / "b.tif")
    Image.fromarray(picture.astype("uint16") * 257).save(tmp_path / "c.png")
    write_dicom(tmp_path / "d.dcm", picture)
    write_nifti(tmp_path / "e.nii.gz", picture.T, np.diag([-1, -1, 1, 1]))
    write_itk(tmp_path / "f.mha", picture)
    write_itk(tmp_path / "g.nrrd", picture)
    images = [read_image(path)[0] for path in sorted(tmp_path.iterdir()) if path.is_file()]
    assert len(images) == 7
    for image in images:
        np.testing.assert_allclose(image, picture.T / 255, atol=1e-6)
