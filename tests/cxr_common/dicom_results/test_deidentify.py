"""Nothing that was planted is left in a result, wherever in the file; what the result says of the image is."""

from __future__ import annotations

import sys

import numpy as np
import pydicom
import pytest

from cxr_common.dicom_results import KINDS, ResultUids, make_object, read_source
from cxr_common.dicom_results.equipment import LIMITS
from cxr_common.errors import InputError
from tests.dicom_results import IDENTITY, MODEL, dciodvfy_errors, needs, result, write_source

PLANTED = {
    "OtherPatientIDs": "PLANTED-OTHER",
    "PatientAddress": "PLANTED street",
    "PatientComments": "PLANTED comment",
    "StudyDescription": "PLANTED study",
    "MedicalAlerts": "PLANTED alert",
    "InstitutionName": "PLANTED hospital",
}


@pytest.fixture
def made(tmp_path):
    source = read_source(write_source(tmp_path / "source.dcm", **PLANTED))
    uids, files = ResultUids(MODEL), {}
    for kind in KINDS:
        files[kind] = tmp_path / f"{kind}.dcm"
        make_object(kind, result(), source, uids, without_identity=True).save_as(files[kind], enforce_file_format=True)
    return source, files


def test_nothing_planted_is_left(made):
    source, files = made
    words = ["planted", IDENTITY["PatientBirthDate"], IDENTITY["StudyTime"]]
    words += [str(source.dataset[k].value) for k in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")]
    for path in files.values():
        content = path.read_bytes().lower()
        for word in words:
            assert word.encode().lower() not in content, (path.name, word)


def test_results_of_a_run_still_belong_together(made):
    objects = [pydicom.dcmread(path) for path in made[1].values()]
    assert len({o.StudyInstanceUID for o in objects}) == 1
    assert len({o.SOPInstanceUID for o in objects}) == len(objects)
    assert all(o.file_meta.MediaStorageSOPInstanceUID == o.SOPInstanceUID for o in objects)
    assert all(o.PatientIdentityRemoved == "YES" for o in objects)
    report, state = objects[1], objects[2]
    evidence = report.CurrentRequestedProcedureEvidenceSequence[0]
    assert evidence.StudyInstanceUID == report.StudyInstanceUID
    shown = state.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID
    assert evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0].ReferencedSOPInstanceUID == shown


def test_findings_are_all_there(made):
    files = made[1]
    assert [s.SegmentLabel for s in pydicom.dcmread(files["dicom_seg"]).SegmentSequence] == ["Mass", "Bulla"]
    assert np.count_nonzero(pydicom.dcmread(files["dicom_seg"]).pixel_array) == 180
    assert LIMITS in pydicom.dcmread(files["dicom_sr"]).to_json()
    assert "Mass 0.90" in pydicom.dcmread(files["dicom_gsps"]).to_json()


@needs("dciodvfy")
def test_valid(made):
    for path in made[1].values():
        assert dciodvfy_errors(path) == []


def test_library_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "dicomanonymizer", None)
    with pytest.raises(InputError, match="pip install"):
        make_object("dicom_sr", result(), read_source(write_source(tmp_path / "a.dcm")), ResultUids(MODEL), True)
