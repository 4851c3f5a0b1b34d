"""From a case of a run to files that others read; the objects themselves are tested in dicom_results."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pydicom
import pytest

from cxr_common.data.reader import read_picture
from cxr_common.dicom_results import KINDS, DicomOptions
from cxr_common.errors import InputError
from cxr_common.findings import NotForThisImageError
from cxr_common.findings.outputs import OUTPUTS
from tests.cxr_common.findings.test_case import decoded
from tests.cxr_common.findings.test_findings_writer import localized, save_image
from tests.dicom_results import IDENTITY, write_source

LABELS = ("Pleural effusion", "Mass")


@pytest.fixture
def case(tmp_path):
    """A case of a DICOM file: effusion at the top right, in 61 x 41 pixels."""
    path = write_source(tmp_path / "source.dcm")
    png = save_image(tmp_path / "a.png", (61, 41))
    item = localized(png)
    item["findings"] |= {"path": str(path)}
    mask = np.zeros((61, 41), bool)
    mask[45:55, 2:10] = True
    made = decoded(item, path)
    return replace(made, masks={made.present[0].label: mask}, source=path, read_picture=lambda: read_picture(path))


@pytest.mark.parametrize("kind", KINDS)
def test_one_file_that_names_nobody(tmp_path, case, kind):
    (tmp_path / "out").mkdir()
    writer = OUTPUTS[kind](DicomOptions())
    name = writer.write(case, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name] == writer.names(case.name, LABELS)
    made = pydicom.dcmread(tmp_path / "out" / name)
    assert made.PatientName == IDENTITY["PatientName"]
    assert made.ManufacturerModelName == case.model.name


def test_picture_of_the_whole_image(tmp_path, case):
    made = pydicom.dcmread(tmp_path / OUTPUTS["dicom_sc"](DicomOptions()).write(case, tmp_path))
    assert (made.Columns, made.Rows) == (1600, 1075)


def test_a_run_is_a_series_and_the_next_is_another_unless_asked(tmp_path, case):
    def series(writer):
        return pydicom.dcmread(tmp_path / writer.write(case, tmp_path)).SeriesInstanceUID

    writer = OUTPUTS["dicom_sr"](DicomOptions())
    assert series(writer) == series(writer) != series(OUTPUTS["dicom_sr"](DicomOptions()))
    fixed = [OUTPUTS["dicom_sr"](DicomOptions(deterministic_uids=True)) for _ in range(2)]
    assert series(fixed[0]) == series(fixed[1])


def test_no_dicom(tmp_path, case):
    png = save_image(tmp_path / "a.png", (61, 41))
    with pytest.raises(NotForThisImageError, match="is not a DICOM file"):
        OUTPUTS["dicom_sr"](DicomOptions()).write(replace(case, source=png), tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_without_highdicom_a_run_ends_before_its_first_image(monkeypatch, kind):
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match="pip install"):
        OUTPUTS[kind](DicomOptions())
