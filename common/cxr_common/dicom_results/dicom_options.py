"""What a run may choose of its DICOM results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DicomOptions:
    """Options of all kinds of DICOM results.

    Attributes:
        deterministic_uids: the same source, model, weights and thresholds always give the same UIDs, so that a result
            stored twice is in a PACS once. Otherwise every run has UIDs of its own.
        deidentify: results lose the patient's identity by the basic profile of PS3.15.
    """

    deterministic_uids: bool = False
    deidentify: bool = False
