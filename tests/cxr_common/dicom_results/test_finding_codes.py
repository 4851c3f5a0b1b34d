from __future__ import annotations

import pytest
from pydicom.sr._concepts_dict import concepts

from cxr_common.dicom_results.finding_codes import _TABLE, CATEGORY, CHEST, LOCAL_SCHEME, LUNG, finding_code
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


SNOMED = sorted({c for c in (*_TABLE.values(), CATEGORY, CHEST, LUNG) if c.scheme == "SCT"}, key=lambda c: c.meaning)
#: pydicom's table of the standard has no concept of this name or code.
NOT_IN_PYDICOM = {
    "Atelectasis",
    "Diaphragmatic hernia",
    "Fibrosis of lung",
    "Fracture of bone",
    "Lung consolidation",
    "Pneumonia",
    "Pulmonary emphysema",
    "Pulmonary tuberculosis",
}
#: There its code has another meaning besides, so ours is SNOMED CT's own.
TWO_MEANINGS = {"Cardiomegaly"}


@pytest.mark.parametrize("code", SNOMED, ids=lambda code: code.meaning)
def test_snomed_codes_are_those_of_the_standard(code):
    """The same name has the same code there, and the same code the same name."""
    pairs = [(value, meaning) for values in concepts["SCT"].values() for value, (meaning, _) in values.items()]
    values = {value for value, meaning in pairs if meaning.casefold() == code.meaning.casefold()}
    meanings = {meaning for value, meaning in pairs if value == code.value}
    if code.meaning in TWO_MEANINGS:
        assert {meaning for value, meaning in pairs if value in values} - {code.meaning}
    elif code.meaning in NOT_IN_PYDICOM:
        assert not values and not meanings
    else:
        assert code.value in values and code.meaning in meanings


@pytest.mark.parametrize(("a", "b"), [("Lung Opacity", "lung_opacity"), ("Pleural Effusion", "EFFUSION")])
def test_spelling(a, b):
    assert finding_code(a) == finding_code(b)


@pytest.mark.parametrize("label", ["Bulla", "결절", "a label of more than sixteen characters", "a\\b"])
def test_local(label):
    code = finding_code(label)
    assert code.scheme == LOCAL_SCHEME
    assert 1 <= len(code.value) <= 16 and code.value.isascii() and "\\" not in code.value
    assert code == finding_code(label) != finding_code(label + "x")
