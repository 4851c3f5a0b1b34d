"""Names in every script that pydicom ships samples of are carried byte by byte, and stay readable beside our words."""

from __future__ import annotations

import pydicom
import pytest
from pydicom.data import get_charset_files

from cxr_common.dicom_results import KINDS, make_object, read_source
from cxr_common.dicom_results.result_uids import ResultUids
from tests.dicom_results import MODEL, dciodvfy_errors, needs, result, write_source

SAMPLES = sorted(get_charset_files("chr*.dcm"))
LABELS = ("Knötchen", "폐결절", "結節")


def raw(path, keyword):
    """The bytes of an element of text, before pydicom makes anything of them."""
    element = pydicom.dcmread(path, stop_before_pixels=True).get_item(keyword)
    if element is None or not element.value:
        return None
    return element.value.rstrip(b" \0") if isinstance(element.value, bytes) else element.value


def borrowed(path, tmp_path):
    """A radiograph with the character set and the name of a sample."""
    sample = pydicom.dcmread(path)
    elements = {"SpecificCharacterSet": sample.get("SpecificCharacterSet"), "PatientName": sample.get("PatientName")}
    return write_source(tmp_path / "source.dcm", **elements)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.rsplit("/", 1)[-1])
@pytest.mark.parametrize("kind", KINDS)
def test_samples(tmp_path, sample, kind):
    path = borrowed(sample, tmp_path)
    made = make_object(kind, result(labels=LABELS), read_source(path), ResultUids(MODEL))
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    for keyword in ("SpecificCharacterSet", "PatientName", "PatientID", "AccessionNumber"):
        assert raw(tmp_path / "made.dcm", keyword) == raw(path, keyword), keyword
    # Where the source lacks the name, the standard wants it there and empty.
    names = [pydicom.dcmread(p).get("PatientName") or "" for p in (tmp_path / "made.dcm", path)]
    assert names[0] == names[1]


@needs("dciodvfy")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "character_set", [None, "ISO_IR 100", "ISO_IR 192", ["", "ISO 2022 IR 87"], ["", "ISO 2022 IR 149"]]
)
def test_labels_of_any_script_are_valid(tmp_path, character_set, kind):
    source = read_source(write_source(tmp_path / "source.dcm", SpecificCharacterSet=character_set))
    make_object(kind, result(labels=LABELS), source, ResultUids(MODEL)).save_as(
        tmp_path / "made.dcm", enforce_file_format=True
    )
    assert dciodvfy_errors(tmp_path / "made.dcm") == []


@pytest.mark.parametrize(
    ("character_set", "shown"),
    [
        ("ISO_IR 192", list(LABELS[::2])),
        ("ISO_IR 100", ["Knötchen", "<7D50><7BC0>"]),
        (None, ["Kn<F6>tchen", "<7D50><7BC0>"]),
        (["", "ISO 2022 IR 87"], ["Kn<F6>tchen", "結節"]),
    ],
)
def test_labels_are_in_the_sources_character_set(tmp_path, character_set, shown):
    source = read_source(write_source(tmp_path / "source.dcm", SpecificCharacterSet=character_set))
    make_object("dicom_seg", result(labels=LABELS), source, ResultUids(MODEL)).save_as(
        tmp_path / "made.dcm", enforce_file_format=True
    )
    assert [s.SegmentLabel for s in pydicom.dcmread(tmp_path / "made.dcm").SegmentSequence] == shown


def test_bytes_of_no_character_set(tmp_path):
    """Many machines write names in a set that they do not declare; the bytes stay what they are."""
    path = write_source(tmp_path / "source.dcm", PatientName="M}ller^A")
    path.write_bytes(path.read_bytes().replace(b"M}ller", b"M\xfcller"))
    made = make_object("dicom_sr", result(), read_source(path), ResultUids(MODEL))
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    assert raw(tmp_path / "made.dcm", "PatientName") == b"M\xfcller^A"


def test_big_endian_and_sequences(tmp_path):
    """Numbers and sequences of the patient are converted, not copied as bytes of another order."""
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "1", "99X", "Größe"
    path = write_source(
        tmp_path / "source.dcm",
        SpecificCharacterSet="ISO_IR 100",
        ProcedureCodeSequence=[code],
        syntax="1.2.840.10008.1.2.2",
    )
    made = make_object("dicom_sr", result(), read_source(path), ResultUids(MODEL))
    made.save_as(tmp_path / "made.dcm", enforce_file_format=True)
    again = pydicom.dcmread(tmp_path / "made.dcm")
    assert again.ProcedureCodeSequence[0].CodeMeaning == "Größe"
    assert again.PatientName == "Planted^Name"
