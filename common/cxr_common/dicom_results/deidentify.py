"""Results without the patient's identity: the basic profile of PS3.15 annex E, as dicom-anonymizer has it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.uid import UID

from cxr_common.errors import InputError

METHOD = "PS3.15 basic profile by dicom-anonymizer"
#: What the library puts for dates, which checkers refuse, and what stands instead.
_NO_DATE, _ANY_DATE = "00010101", "19000101"
#: UIDs that name kinds of things, not things of a patient.
_PUBLIC = "1.2.840.10008."
#: Made here from findings alone. The profile would empty them, or clean them by its options for structured content and
#: graphics; nothing in them is from the patient but UIDs, which are replaced.
_OURS = (
    *("ContentSequence", "GraphicAnnotationSequence", "SegmentSequence"),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "DimensionOrganizationSequence"),
    *("PresentationCreationDate", "PresentationCreationTime"),
    *("ReferencedSeriesSequence", "CurrentRequestedProcedureEvidenceSequence", "SourceImageSequence"),
)


def deidentify(dataset: Dataset, key: bytes) -> Dataset:
    """Take the patient's identity out of a result, by the profile's table of elements.

    UIDs are replaced so that results of one key still belong together. Pixels stay as they are: what is burned into
    the radiograph is in a secondary capture too.

    Args:
        dataset: the result; it is changed.
        key: 16 bytes; who has them can tell whether a new UID is of an old one that they know.

    Raises:
        InputError: the library is missing.
    """
    try:
        from dicomanonymizer import anonymize_dataset
    except ImportError as error:
        reason = f"de-identification needs dicom-anonymizer ({error})"
        raise InputError(reason, "deidentify", 'pip install "dicom-anonymizer==2.1.0"') from error
    tags = [tag_for_keyword(keyword) or 0 for keyword in _OURS]
    tags += [int(element.tag) for element in dataset if element.VR == "UI"]
    anonymize_dataset(dataset, {(tag >> 16, tag & 0xFFFF): _keep for tag in tags})
    namespace = uuid.UUID(bytes=key)
    for element in _elements(dataset, "DA"):
        if element.value == _NO_DATE:
            element.value = _ANY_DATE
    for element in _elements(dataset, "UI"):
        values = [element.value] if isinstance(element.value, str) else list(element.value or ())
        new = [value if value.startswith(_PUBLIC) else _new_uid(namespace, value) for value in values]
        element.value = new if len(new) > 1 else new[0] if new else ""
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    return dataset


def _keep(_dataset: Dataset, _tag: Any) -> None:
    """Leave an element alone."""


def _new_uid(namespace: uuid.UUID, old: str) -> UID:
    return UID(f"2.25.{uuid.uuid5(namespace, old).int}")


def _elements(dataset: Dataset, representation: str) -> Iterator[Any]:
    for element in dataset:
        if representation == element.VR:
            yield element
        elif element.VR == "SQ":
            for item in element.value:
                yield from _elements(item, representation)
