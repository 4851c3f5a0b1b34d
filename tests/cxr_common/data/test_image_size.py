from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest
from PIL import Image

from cxr_common.data import load_datalist, read_picture
from cxr_common.data.image_size import upright_size
from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom
from cxr_common.errors import InputError

WIDE = np.tile(np.arange(60, dtype=np.uint8), (40, 1))  # rows, columns


def png(path):
    Image.fromarray(WIDE).save(path)


def turned_jpeg(path):
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(WIDE).save(path, exif=exif)


def nifti(path):
    nibabel.save(nibabel.Nifti1Image(WIDE.T, np.eye(4)), path)


def dicom(path, orientation=None):
    import pydicom

    write_dicom(make_phantom(1, 0, PhantomConfig(size=64)), path)
    dataset = pydicom.dcmread(path)
    pixels = np.ascontiguousarray(dataset.pixel_array[:40, :60])
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.PixelData = pixels.tobytes()
    if orientation is not None:
        dataset.PatientOrientation = orientation
    dataset.save_as(path)


@pytest.mark.parametrize(
    ("name", "write", "size"),
    [
        ("a.png", png, (60, 40)),
        ("a.jpg", turned_jpeg, (40, 60)),
        ("a.nii.gz", nifti, (60, 40)),
        ("a.dcm", dicom, (60, 40)),
        ("a", dicom, (60, 40)),
        ("a.dcm", lambda path: dicom(path, ["F", "L"]), (40, 60)),
    ],
)
def test_the_size_is_that_of_the_upright_picture(tmp_path, name, write, size):
    write(tmp_path / name)
    assert upright_size(tmp_path / name) == size == read_picture(tmp_path / name).shape


def test_what_is_no_image_has_no_size(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"nothing")
    assert upright_size(tmp_path / "a.dcm") is None
    assert upright_size(tmp_path / "b.png") is None


@pytest.mark.parametrize(("name", "write"), [("a.png", png), ("a.dcm", dicom), ("a.nii.gz", nifti)])
def test_boxes_outside_of_any_kind_of_image_are_refused(tmp_path, name, write):
    write(tmp_path / name)
    item = {"image": name, "label": [1], "boxes": [[10, 10, 50, 39]], "box_labels": [0]}
    (tmp_path / "datalist.json").write_text(json.dumps({"labels": ["Mass"], "training": [item]}))
    assert load_datalist(tmp_path / "datalist.json", "training")
    item["boxes"] = [[10, 10, 39, 59]]
    (tmp_path / "datalist.json").write_text(json.dumps({"labels": ["Mass"], "training": [item]}))
    with pytest.raises(InputError, match="leaves the image of 60 x 40 pixels"):
        load_datalist(tmp_path / "datalist.json", "training")
