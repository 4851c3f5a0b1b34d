from __future__ import annotations

import numpy as np
import pydicom
import pytest
from PIL import Image

from cxr_common.dicom_results import NoResult, read_source
from tests.dicom_results import write_source
from tests.image_files import IMPLICIT


def test_no_dicom(tmp_path):
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(tmp_path / "a.png")
    with pytest.raises(NoResult, match="is not a DICOM file"):
        read_source(tmp_path / "a.png")


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_nothing_to_refer_to(tmp_path, keyword):
    dataset = pydicom.dcmread(write_source(tmp_path / "a.dcm"))
    del dataset[keyword]
    dataset.save_as(tmp_path / "b.dcm")
    with pytest.raises(NoResult, match=keyword):
        read_source(tmp_path / "b.dcm")


def test_no_preamble(tmp_path):
    """A bare dataset in implicit VR, as old machines write it."""
    path = write_source(tmp_path / "a.dcm", syntax=IMPLICIT)
    content = path.read_bytes()
    length = int.from_bytes(content[140:144], "little")
    (tmp_path / "bare.dcm").write_bytes(content[144 + length :])
    assert read_source(tmp_path / "bare.dcm").size == (61, 41)


@pytest.mark.parametrize(
    ("orientation", "point"), [(["L", "F"], (50.0, 6.0)), (["R", "F"], (11.0, 6.0)), (["F", "L"], (6.0, 50.0))]
)
def test_points_of_the_stored_picture(tmp_path, orientation, point):
    source = read_source(write_source(tmp_path / "a.dcm", PatientOrientation=orientation))
    assert source.size == (61, 41)
    assert source.point((50.0, 6.0)) == point
