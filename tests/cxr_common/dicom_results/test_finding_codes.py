from __future__ import annotations

import pytest
from pydicom.sr._concepts_dict import concepts

from cxr_common.dicom_results.finding_codes import _TABLE, LOCAL_SCHEME, finding_code
from cxr_common.labels import LABELS


@pytest.mark.parametrize("label", LABELS)
def test_every_shipped_label_has_a_standard_code(label):
    assert finding_code(label).scheme in ("SCT", "DCM")


@pytest.mark.parametrize(
    "code",
    sorted({c for c in _TABLE.values() if c.scheme == "DCM"}, key=lambda code: code.value),
    ids=lambda code: code.value,
)
def test_dicom_codes_are_those_of_the_standard(code):
    meanings = [
        meaning for values in concepts["DCM"].values() for value, (meaning, _) in values.items() if value == code.value
    ]
    assert code.meaning in meanings


@pytest.mark.parametrize(("a", "b"), [("Lung Opacity", "lung_opacity"), ("Pleural Effusion", "EFFUSION")])
def test_spelling(a, b):
    assert finding_code(a) == finding_code(b)


@pytest.mark.parametrize("label", ["Bulla", "결절", "a label of more than sixteen characters", "a\\b"])
def test_local(label):
    code = finding_code(label)
    assert code.scheme == LOCAL_SCHEME
    assert 1 <= len(code.value) <= 16 and code.value.isascii() and "\\" not in code.value
    assert code == finding_code(label) != finding_code(label + "x")
