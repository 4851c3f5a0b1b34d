from __future__ import annotations

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from cxr_common.dicom_results import NoResult, make_object, read_source
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, result, write_source
from tests.image_files import write_dicom


@pytest.fixture
def state(tmp_path):
    def make(**elements) -> Dataset:
        source = read_source(write_source(tmp_path / "source.dcm", **elements))
        made = make_object("dicom_gsps", result(), source, ResultUids(MODEL))
        made.save_as(tmp_path / "state.dcm", enforce_file_format=True)
        return pydicom.dcmread(tmp_path / "state.dcm")

    return make


@pytest.mark.parametrize(("photometric", "shape"), [("MONOCHROME1", "INVERSE"), ("MONOCHROME2", "IDENTITY")])
def test_bright_stays_bright(state, photometric, shape):
    assert state(PhotometricInterpretation=photometric).PresentationLUTShape == shape


def test_names_and_probabilities(state):
    made = state()
    texts = [t.UnformattedTextValue for a in made.GraphicAnnotationSequence for t in a.get("TextObjectSequence", [])]
    assert texts[1:] == ["Mass 0.90", "Bulla 0.70"]
    assert "not verified" in texts[0]
    assert [layer.GraphicLayerDescription for layer in made.GraphicLayerSequence] == ["What this is", "Mass", "Bulla"]


def test_grey_is_that_of_the_source(state):
    made = state(WindowCenter=100, WindowWidth=300, RescaleSlope=2, RescaleIntercept=5, RescaleType="US")
    assert (made.RescaleSlope, made.RescaleIntercept) == (2, 5)
    assert (made.SoftcopyVOILUTSequence[0].WindowCenter, made.SoftcopyVOILUTSequence[0].WindowWidth) == (100, 300)


@pytest.mark.parametrize(
    ("elements", "keyword", "value"),
    [
        ({"ImagerPixelSpacing": [0.1, 0.2]}, "PresentationPixelSpacing", [0.1, 0.2]),
        ({"PixelAspectRatio": [1, 2]}, "PresentationPixelAspectRatio", [1, 2]),
        ({}, "PresentationPixelAspectRatio", [1, 1]),
    ],
)
def test_shape_of_pixels(state, elements, keyword, value):
    area = state(**elements).DisplayedAreaSelectionSequence[0]
    assert area.get(keyword) == value
    assert ("PresentationPixelSpacing" in area) != ("PresentationPixelAspectRatio" in area)


def test_colour_has_none(tmp_path):
    path = write_dicom(tmp_path / "colour.dcm", np.full((41, 61, 3), 90, "uint8"))
    with pytest.raises(NoResult, match="RGB"):
        make_object("dicom_gsps", result(), read_source(path), ResultUids(MODEL))
