"""The outputs "dicom_seg", "dicom_sr", "dicom_gsps" and "dicom_sc": results that a PACS keeps beside the radiograph."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from cxr_common.dicom_results import (
    DicomOptions,
    Finding,
    ImageResult,
    Model,
    NoResult,
    Region,
    ResultUids,
    SourceImage,
    make_object,
    read_source,
    require_highdicom,
)
from cxr_common.findings.burned_in import burned_in
from cxr_common.findings.case import Case
from cxr_common.findings.case_writer import CaseWriter, NotForThisImageError
from cxr_common.findings.palette import class_colour


class DicomObject(CaseWriter):
    """One DICOM object for each image that is a DICOM file, see :mod:`cxr_common.dicom_results`.

    A subclass is one of :data:`cxr_common.dicom_results.KINDS`.

    Args:
        options: of the run.

    Raises:
        InputError: highdicom is not installed.
    """

    def __init__(self, options: DicomOptions) -> None:
        require_highdicom()
        self.options = options
        self._uids: ResultUids | None = None
        self._first = threading.Lock()

    def names(self, case: str, labels: Iterable[str]) -> list[str]:
        """The one file."""
        return [f"{case}_{self.kind.removeprefix('dicom_')}.dcm"]

    def write(self, case: Case, folder: Path) -> str:
        """Write the file; returns its name."""
        (name,) = self.names(case.name, case.model.labels)
        model = _model(case)
        with self._first:
            if self._uids is None:  # one for the run, so that its results of a study are one series
                self._uids = ResultUids(model, self.options.deterministic_uids)
        try:
            source = _source(case.source, case.source.stat().st_mtime_ns)
            result = _result(case, model, with_picture=self.kind == "dicom_sc")
            made = make_object(self.kind, result, source, self._uids, self.options.deidentify)
        except NoResult as reason:
            raise NotForThisImageError(str(reason)) from None
        made.save_as(folder / name, enforce_file_format=True)
        return name


class DicomSeg(DicomObject):
    """Masks as a Segmentation."""

    kind = "dicom_seg"
    needs = frozenset({"masks"})


class DicomSr(DicomObject):
    """A structured report of TID 1500."""

    kind = "dicom_sr"


class DicomGsps(DicomObject):
    """Outlines, boxes and names as a presentation state."""

    kind = "dicom_gsps"


class DicomSc(DicomObject):
    """A picture with the findings burned in as a Secondary Capture."""

    kind = "dicom_sc"
    needs = frozenset({"picture"})


@lru_cache(maxsize=8)
def _source(path: Path, _changed: int) -> SourceImage:
    """The kinds of a run look at the same file one after the other; each of its writers has another file."""
    return read_source(path)


def _model(case: Case) -> Model:
    thresholds = {finding.label: finding.threshold for finding in case.findings}
    settings = json.dumps([thresholds, dict(case.model.heatmaps)], default=str)
    return Model(case.model.name, case.model.version, case.model.weights_sha256, settings)


def _result(case: Case, model: Model, with_picture: bool) -> ImageResult:
    findings = tuple(
        Finding(
            label=finding.label,
            probability=finding.probability,
            threshold=finding.threshold,
            decision=finding.decision,
            point=None if finding.point is None else (finding.point[0], finding.point[1]),
            regions=tuple(Region((b.box[0], b.box[1], b.box[2], b.box[3]), b.score) for b in finding.boxes),
            mask=case.masks.get(finding.label),
            colour=class_colour(index),
        )
        for index, finding in enumerate(case.findings)
    )
    return ImageResult(findings, model, case.size, burned_in(case) if with_picture else None)
