from __future__ import annotations

import pydicom
import pytest

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom

#: Study date of each image.
DAYS = ("20260228", "20260301", "20260301", "20260331", "20260401")


@pytest.fixture(scope="session")
def radiographs(tmp_path_factory):
    """Five phantoms as DICOM, every second with an effusion, and a file that is none."""
    folder = tmp_path_factory.mktemp("archive")
    for number, day in enumerate(DAYS):
        path = folder / f"{number}.dcm"
        write_dicom(make_phantom(20260101, number, PhantomConfig(size=128), ("Effusion",) * (number % 2)), path)
        dataset = pydicom.dcmread(path)
        dataset.StudyDate, dataset.PatientName = day, "PLANTED^NAME"
        dataset.save_as(path)
    (folder / "broken.dcm").write_bytes(b"no image")
    return folder
