from __future__ import annotations

import pytest
from highdicom.sr import srread
from pydicom.sr.codedict import codes

from cxr_common.dicom_results import make_object, read_source
from cxr_common.dicom_results.equipment import AT_DETECTOR, LIMITS
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, result, write_source


@pytest.fixture
def report(tmp_path):
    def read(**elements):
        source = read_source(write_source(tmp_path / "source.dcm", **elements))
        made = make_object("dicom_sr", result(), source, ResultUids(MODEL))
        made.save_as(tmp_path / "report.dcm", enforce_file_format=True)
        return srread(tmp_path / "report.dcm")

    return read


def values(group):
    return {m.name.meaning: m.value for m in group.get_measurements()}


def test_not_verified(report):
    document = report()
    assert (document.VerificationFlag, document.CompletionFlag, document.PreliminaryFlag) == (
        "UNVERIFIED",
        "COMPLETE",
        "PRELIMINARY",
    )
    words = [item.TextValue for item in document.content[0].ContentSequence if item.ValueType == "TEXT"]
    assert LIMITS in words
    assert "not verified" in LIMITS


def test_every_class_has_decision_and_probability(report):
    groups = report(PixelSpacing=[0.1, 0.2]).content.get_image_measurement_groups()
    assert [values(g) for g in groups] == [
        {"Probability": 0.9, "Decision threshold": 0.41, "Area": 80 * 0.1 * 0.2},
        {"Probability": 0.12, "Decision threshold": 0.4},
        {"Probability": 0.7, "Decision threshold": 0.5, "Area": 100 * 0.1 * 0.2},
    ]
    decisions = [g.get_qualitative_evaluations()[0].value for g in groups]
    assert decisions == [codes.SCT.Present, codes.SCT.Absent, codes.SCT.Present]
    assert [g.finding_type.value for g in groups] == ["4147007", "27925004", "Bulla"]


def test_no_area_without_spacing(report):
    groups = report().content.get_image_measurement_groups()
    assert all("Area" not in values(g) for g in groups)


@pytest.mark.parametrize(("keyword", "noted"), [("ImagerPixelSpacing", True), ("PixelSpacing", False)])
def test_where_sizes_hold(report, keyword, noted):
    document = report(**{keyword: [0.2, 0.2]})
    words = [item.TextValue for item in document.content[0].ContentSequence if item.ValueType == "TEXT"]
    assert (AT_DETECTOR in words) == noted


def test_algorithm(report):
    group = report().content.get_image_measurement_groups()[0]
    words = [item.TextValue for item in group[0].ContentSequence if item.ValueType == "TEXT"]
    assert {MODEL.name, MODEL.version, f"weights_sha256={MODEL.weights_sha256}"} <= set(words)
