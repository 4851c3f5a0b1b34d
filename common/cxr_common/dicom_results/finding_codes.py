"""Codes of findings: one table for all labels that public data sets of chest radiographs use.

Sources: SNOMED CT (SCT) as DICOM's context groups use it, and DICOM's own codes (DCM) of CID 6102, chest CAD. A label
that is not in the table gets a local code, whose value is the label itself where it is short enough.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

#: Designator of local codes; "99" is what the standard keeps for them (PS3.16 8.2).
LOCAL_SCHEME = "99CXRBUNDLES"


@dataclass(frozen=True)
class FindingCode:
    """A code as DICOM has it: value, coding scheme, meaning."""

    value: str
    scheme: str
    meaning: str


_TABLE: dict[str, FindingCode] = {
    name: FindingCode(*code)
    for names, code in (
        (("atelectasis",), ("46621007", "SCT", "Atelectasis")),
        # PS3.16's CID 12248 has 287272002, which another entry of pydicom's table calls an enlarged septal foramen.
        (("cardiomegaly",), ("8186001", "SCT", "Cardiomegaly")),
        (("consolidation",), ("95436008", "SCT", "Lung consolidation")),
        (("edema", "oedema", "pulmonary edema"), ("19242006", "SCT", "Pulmonary edema")),
        (("effusion", "pleural effusion"), ("60046008", "SCT", "Pleural effusion")),
        (("emphysema",), ("87433001", "SCT", "Pulmonary emphysema")),
        (("fibrosis", "pulmonary fibrosis"), ("51615001", "SCT", "Fibrosis of lung")),
        (("fracture",), ("125605004", "SCT", "Fracture of bone")),
        (("hernia",), ("39839004", "SCT", "Diaphragmatic hernia")),
        (("infiltration", "infiltrate"), ("112121", "DCM", "Infiltrate")),
        (("mass",), ("4147007", "SCT", "Mass")),
        (("nodule",), ("27925004", "SCT", "Nodule")),
        (("opacity", "lung opacity"), ("112001", "DCM", "Opacity")),
        (("pneumonia",), ("233604007", "SCT", "Pneumonia")),
        (("pneumothorax",), ("36118008", "SCT", "Pneumothorax")),
        (("tuberculosis",), ("154283005", "SCT", "Pulmonary tuberculosis")),
    )
    for name in names
}
CATEGORY = FindingCode("49755003", "SCT", "Morphologically Abnormal Structure")
LUNG = FindingCode("39607008", "SCT", "Lung")
CHEST = FindingCode("816094009", "SCT", "Chest")


def finding_code(label: str) -> FindingCode:
    """The code of a label, whatever its case; a local one for a label that is not in the table.

    Example:
        >>> finding_code("Effusion").value, finding_code("Lung_Opacity").scheme, finding_code("Bulla").scheme
        ('60046008', 'DCM', '99CXRBUNDLES')
    """
    name = " ".join(re.sub(r"[_\s]+", " ", label).split())
    known = _TABLE.get(name.casefold())
    if known is not None:
        return known
    # A code value has at most 16 characters, all of the default character set (PS3.5 6.2, SH).
    short = re.fullmatch(r"[A-Za-z0-9 ._-]{1,16}", name)
    value = name if short else hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return FindingCode(value, LOCAL_SCHEME, name[:64])
