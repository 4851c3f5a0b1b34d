from __future__ import annotations

from dataclasses import replace

import pydicom
import pytest

from cxr_common.dicom_results import NoResult, make_object, read_source
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, result, write_source


def test_says_that_words_are_burned_in(tmp_path):
    source = read_source(write_source(tmp_path / "source.dcm"))
    made = make_object("dicom_sc", result(), source, ResultUids(MODEL))
    made.save_as(tmp_path / "capture.dcm", enforce_file_format=True)
    capture = pydicom.dcmread(tmp_path / "capture.dcm")
    assert (capture.BurnedInAnnotation, capture.ConversionType) == ("YES", "WSD")
    assert capture.SourceImageSequence[0].ReferencedSOPInstanceUID == source.reference.SOPInstanceUID
    assert "not for diagnosis" in capture.ImageComments
    assert (capture.pixel_array == result().picture).all()


def test_no_picture(tmp_path):
    source = read_source(write_source(tmp_path / "source.dcm"))
    with pytest.raises(NoResult):
        make_object("dicom_sc", replace(result(), picture=None), source, ResultUids(MODEL))
