from __future__ import annotations

import pydicom
import pytest

from cxr_common.dicom_results import make_object, read_source
from cxr_common.dicom_results.equipment import AT_DETECTOR
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, result, write_source


@pytest.fixture
def seg(tmp_path):
    def make(**elements):
        source = read_source(write_source(tmp_path / "source.dcm", **elements))
        made = make_object("dicom_seg", result(), source, ResultUids(MODEL))
        made.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
        return pydicom.dcmread(tmp_path / "seg.dcm")

    return make


def test_a_segment_a_finding_that_is_present(seg):
    segments = seg().SegmentSequence
    assert [s.SegmentLabel for s in segments] == ["Mass", "Bulla"]
    kinds = [s.SegmentedPropertyTypeCodeSequence[0] for s in segments]
    assert [(k.CodeValue, k.CodingSchemeDesignator) for k in kinds] == [("4147007", "SCT"), ("Bulla", "99CXRBUNDLES")]
    assert {s.SegmentedPropertyCategoryCodeSequence[0].CodeValue for s in segments} == {"49755003"}


def test_algorithm(seg):
    made_by = seg().SegmentSequence[0].SegmentationAlgorithmIdentificationSequence[0]
    assert (made_by.AlgorithmName, made_by.AlgorithmVersion) == (MODEL.name, MODEL.version)
    assert made_by.AlgorithmParameters == f"weights_sha256={MODEL.weights_sha256}"


@pytest.mark.parametrize(
    ("elements", "spacing", "at_detector"),
    [
        ({"PixelSpacing": [0.1, 0.2], "ImagerPixelSpacing": [0.3, 0.4]}, [0.1, 0.2], False),
        ({"ImagerPixelSpacing": [0.3, 0.4]}, [0.3, 0.4], True),
    ],
)
def test_spacing(seg, elements, spacing, at_detector):
    """A detector's spacing is given as both, which is how the standard says that it is not corrected."""
    made = seg(**elements)
    assert made.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing == spacing
    assert (made.get("ImagerPixelSpacing") == spacing) == at_detector
    assert (made.get("ImageComments") == AT_DETECTOR) == at_detector


def test_no_spacing(seg):
    assert "PixelMeasuresSequence" not in seg().SharedFunctionalGroupsSequence[0]
