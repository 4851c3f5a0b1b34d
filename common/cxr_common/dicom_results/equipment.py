"""What every result says of the software that made it, and of its place in the study."""

from __future__ import annotations

from typing import Any

from highdicom import AlgorithmIdentificationSequence
from highdicom.base import SOPClass
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian

from cxr_common.dicom_results.finding_codes import LOCAL_SCHEME, FindingCode
from cxr_common.dicom_results.image_result import Model
from cxr_common.dicom_results.patient_study import adopt
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import SourceImage
from cxr_common.dicom_results.text_values import fitting

MANUFACTURER = "cxr-bundles"
UNVERIFIED = "AI result, not verified."
LIMITS = (
    f"{UNVERIFIED} Research use only. Not a medical device; not for diagnosis or treatment. The model is often wrong:"
    " it misses findings and reports findings that are not there. A finding that is not listed may be there."
)
AT_DETECTOR = "Sizes are at the detector (ImagerPixelSpacing), not corrected for magnification."
#: Series numbers of results, beyond those of the machines that make images.
_NUMBERS = {"dicom_seg": 9101, "dicom_sr": 9102, "dicom_gsps": 9103, "dicom_sc": 9104}
_WORDS = {"dicom_seg": "masks", "dicom_sr": "report", "dicom_gsps": "outlines", "dicom_sc": "picture"}


def code(finding_code: FindingCode) -> Code:
    """A code as pydicom and highdicom take it."""
    return Code(finding_code.value, finding_code.scheme, finding_code.meaning)


def series_arguments(kind: str, source: SourceImage, model: Model, uids: ResultUids) -> dict[str, Any]:
    """Arguments that all constructors of highdicom share."""
    number = source.dataset.get("InstanceNumber")
    return {
        "series_instance_uid": uids.series(kind, source.reference.StudyInstanceUID),
        "sop_instance_uid": uids.instance(kind, source.reference.SOPInstanceUID),
        "series_number": _NUMBERS[kind],
        "instance_number": int(number) if str(number or "").isdigit() and 0 < int(number) < 2**31 else 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": fitting(model.name, source.character_set),
        "software_versions": fitting(model.version, source.character_set),
        "device_serial_number": model.weights_sha256 or "unknown",
        "series_description": fitting(f"AI {_WORDS[kind]}, not verified: {model.name}", source.character_set),
        "transfer_syntax_uid": ExplicitVRLittleEndian,
        "coding_schemes": [
            CodingSchemeIdentificationItem(LOCAL_SCHEME, name="Local codes", responsible_organization=MANUFACTURER)
        ],
    }


def algorithm(model: Model, source: SourceImage) -> AlgorithmIdentificationSequence:
    """Name, version and weights of the model (PS3.3 10.16)."""
    return AlgorithmIdentificationSequence(
        name=fitting(model.name, source.character_set),
        family=codes.DCM.ArtificialIntelligence,
        version=fitting(model.version, source.character_set),
        source=MANUFACTURER,
        parameters={"weights_sha256": model.weights_sha256 or "unknown"},
    )


def finish(result: SOPClass, source: SourceImage) -> Dataset:
    """Put patient and study of the source into a result."""
    adopt(result, source.dataset, source.raw)
    return result
