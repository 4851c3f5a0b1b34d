"""Every kind for every sort of source: valid by a checker of other people's, and readable."""

from __future__ import annotations

import hashlib
import sys

import numpy as np
import pydicom
import pytest

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_common.data.phantom.dicom_files import write_dicom as write_phantom
from cxr_common.dicom_results import KINDS, Finding, ImageResult, NoResult, make_object, read_source
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.errors import InputError
from tests.dicom_results import CR, DX, MODEL, SC, dciodvfy_errors, needs, result, without_masks, write_source
from tests.image_files import EXPLICIT, IMPLICIT, JPEG_2000_LOSSLESS, RLE

SOURCES = {
    "CR, detector's spacing": {"SOPClassUID": CR, "ImagerPixelSpacing": [0.2, 0.2]},
    "CR, MONOCHROME1, rectangular pixels": {"PhotometricInterpretation": "MONOCHROME1", "PixelSpacing": [0.143, 0.2]},
    "CR, rectangular pixels at the detector": {"ImagerPixelSpacing": [0.3, 0.15]},
    "CR, no spacing": {},
    "CR, spacing of many digits": {"PixelSpacing": [0.16800000190735, 0.16800000190734]},
    "CR, impossible spacing and age": {"PixelSpacing": [0, 0], "PatientAge": "59"},
    "DX, MONOCHROME2": {"SOPClassUID": DX, "Modality": "DX", "ImagerPixelSpacing": [0.14, 0.14]},
    "DX, MONOCHROME1": {"SOPClassUID": DX, "Modality": "DX", "PhotometricInterpretation": "MONOCHROME1"},
    "SC of 8 bits": {"SOPClassUID": SC, "Modality": "OT", "bits": 8, "ConversionType": "WSD"},
    "SC, scanned film": {"SOPClassUID": SC, "Modality": "OT", "NominalScannedPixelSpacing": [0.2, 0.2]},
    "mirrored": {"PatientOrientation": ["R", "F"], "PixelSpacing": [0.1, 0.2]},
    "on its side": {"PatientOrientation": ["F", "L"], "PixelSpacing": [0.1, 0.2]},
    "no orientation": {"PatientOrientation": None},
    "window of no width": {"WindowCenter": 100, "WindowWidth": 0},
    "several windows": {"WindowCenter": [100, 200], "WindowWidth": [50, 60]},
    "implicit": {"syntax": IMPLICIT},
    "JPEG 2000": {"syntax": JPEG_2000_LOSSLESS},
    "RLE": {"syntax": RLE},
    "one odd row more": {"rows": 43, "columns": 59},
    "even": {"rows": 42, "columns": 64},
    "in a frame of reference": {"FrameOfReferenceUID": "1.2.3.4", "PositionReferenceIndicator": ""},
}


@pytest.fixture(params=SOURCES, ids=str)
def made(request, tmp_path):
    """A source, its result, and every kind of object of it."""
    options = {"syntax": EXPLICIT, **SOURCES[request.param]}
    path = write_source(tmp_path / "source.dcm", **options)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    found = result(options.get("rows", 41), options.get("columns", 61))
    source = read_source(path)
    files = {}
    for kind in KINDS:
        files[kind] = tmp_path / f"{kind}.dcm"
        make_object(kind, found, source, ResultUids(MODEL)).save_as(files[kind], enforce_file_format=True)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    return pydicom.dcmread(path), files


@needs("dciodvfy")
def test_valid(made):
    for path in made[1].values():
        assert dciodvfy_errors(path) == []


def test_all_say_what_they_are_and_of_whom(made):
    source, files = made
    series = set()
    for kind, path in files.items():
        made_object = pydicom.dcmread(path)
        assert made_object.StudyInstanceUID == source.StudyInstanceUID
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "AccessionNumber"):
            assert made_object.get(keyword) == source.get(keyword), (kind, keyword)
        assert str(source.SOPInstanceUID) in made_object.to_json()  # refers to its source
        assert made_object.DeviceSerialNumber == MODEL.weights_sha256
        assert (made_object.ManufacturerModelName, made_object.SoftwareVersions) == (MODEL.name, MODEL.version)
        assert "not verified" in made_object.SeriesDescription
        series |= {made_object.SeriesInstanceUID, source.SeriesInstanceUID}
    assert len(series) == len(KINDS) + 1


@needs("dciodvfy")
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_whole_dx(tmp_path, photometric):
    """A phantom has every module of a DX image."""
    phantom = make_phantom(1, 0, PhantomConfig(size=97), ("Mass",))
    write_phantom(phantom, tmp_path / "source.dcm", photometric)
    source = read_source(tmp_path / "source.dcm")
    width, height = source.size
    for kind in KINDS:
        path = tmp_path / f"{kind}.dcm"
        make_object(kind, result(height, width), source, ResultUids(MODEL)).save_as(path, enforce_file_format=True)
        assert dciodvfy_errors(path) == []


@needs("dciodvfy")
def test_nothing_found(tmp_path):
    """A report, a presentation state and a picture say so; a segmentation has nothing to hold."""
    source = read_source(write_source(tmp_path / "source.dcm"))
    nothing = ImageResult(
        (Finding("Mass", 0.1, 0.4, False, (1.0, 1.0)),), MODEL, (61, 41), np.zeros((41, 61, 3), np.uint8)
    )
    for kind in KINDS:
        if kind == "dicom_seg":
            with pytest.raises(NoResult, match="no finding"):
                make_object(kind, nothing, source, ResultUids(MODEL))
        else:
            path = tmp_path / f"{kind}.dcm"
            make_object(kind, nothing, source, ResultUids(MODEL)).save_as(path, enforce_file_format=True)
            assert dciodvfy_errors(path) == []


def test_a_detector_has_no_masks(tmp_path):
    source = read_source(write_source(tmp_path / "source.dcm"))
    with pytest.raises(NoResult):
        make_object("dicom_seg", without_masks(result()), source, ResultUids(MODEL))
    assert make_object("dicom_sr", without_masks(result()), source, ResultUids(MODEL)).Modality == "SR"


def test_another_size(tmp_path):
    source = read_source(write_source(tmp_path / "source.dcm"))
    with pytest.raises(InputError, match="changed"):
        make_object("dicom_sr", result(50, 60), source, ResultUids(MODEL))


def test_highdicom_missing(tmp_path, monkeypatch):
    source = read_source(write_source(tmp_path / "source.dcm"))
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(InputError, match="pip install"):
        make_object("dicom_sr", result(), source, ResultUids(MODEL))


def test_deterministic(tmp_path):
    """The same source, model and weights give the same UIDs, other weights others, and a run its own if not asked."""
    source = read_source(write_source(tmp_path / "source.dcm"))

    def uid(model=MODEL, deterministic=True):
        return make_object("dicom_sr", result(), source, ResultUids(model, deterministic)).SOPInstanceUID

    other = type(MODEL)(MODEL.name, MODEL.version, "cd" * 32, MODEL.settings)
    assert uid() == uid() != uid(other)
    assert uid(deterministic=False) != uid(deterministic=False)
