"""The patient and study modules of a source, carried into a result byte by byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from highdicom.base import SOPClass
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import ComputedRadiographyImageStorage

#: Value representations whose bytes do not depend on the transfer syntax.
_TEXT = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)
#: Optional elements that viewers and checkers refuse where their form is wrong; such a value is left out.
_FORMS = {
    "PatientAge": re.compile(rb"\d{3}[DWMY] ?"),
    "PatientSize": re.compile(rb" *[+-]?[\d.]+([eE][+-]?\d+)? *"),
    "PatientWeight": re.compile(rb" *[+-]?[\d.]+([eE][+-]?\d+)? *"),
}


def raw_elements(dataset: Dataset) -> dict[BaseTag, RawDataElement]:
    """The elements of a dataset that nobody has looked at yet, as they are in the file."""
    found: dict[BaseTag, RawDataElement] = {}
    for tag in dataset.keys():  # noqa: SIM118 - items() would parse
        element: Any = dataset.get_item(tag)
        if isinstance(element, RawDataElement):
            found[tag] = element
    return found


def adopt(result: SOPClass, source: Dataset, raw: Mapping[BaseTag, RawDataElement]) -> None:
    """Replace the patient and study modules of a result by those of the source.

    Args:
        result: a new object.
        source: the source's dataset; elements that cannot be read are not in it.
        raw: what :func:`raw_elements` gave of it when it was fresh from the file.
    """
    if "SpecificCharacterSet" in source:
        result.SpecificCharacterSet = source.SpecificCharacterSet
    elif "SpecificCharacterSet" in result:
        del result.SpecificCharacterSet
    carrier = Dataset()
    carrier.update(source)
    carrier.SOPClassUID = ComputedRadiographyImageStorage  # whose modules are those of every image of a patient
    result.copy_patient_and_study_information(carrier)
    for tag in [tag for tag in result.keys() if tag in carrier and result.get_item(tag) is carrier.get_item(tag)]:  # noqa: SIM118
        element, original = carrier[tag], raw.get(tag)
        form = _FORMS.get(element.keyword)
        if form and original is not None and not form.fullmatch(original.value or b""):
            del result[tag]
        elif original is not None and element.VR in _TEXT:
            value = original.value or b""
            value += (b"\0" if element.VR == "UI" else b" ") * (len(value) % 2)
            result[tag] = original._replace(VR=element.VR, value=value, is_implicit_VR=False, is_little_endian=True)
        else:
            result[tag] = DataElement(tag, element.VR, element.value)
