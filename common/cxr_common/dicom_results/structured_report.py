"""The findings as a structured report of TID 1500: decisions, probabilities, boxes, peaks, areas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    RelationshipTypeValues,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    TextContentItem,
    TrackingIdentifier,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from cxr_common.dicom_results.equipment import AT_DETECTOR, LIMITS, MANUFACTURER, code, finish, series_arguments
from cxr_common.dicom_results.finding_codes import LOCAL_SCHEME, LUNG, finding_code
from cxr_common.dicom_results.image_result import Finding, ImageResult
from cxr_common.dicom_results.result_uids import ResultUids
from cxr_common.dicom_results.source_image import SourceImage
from cxr_common.dicom_results.text_values import fitting

KIND = "dicom_sr"
_THRESHOLD = Code("threshold", LOCAL_SCHEME, "Decision threshold")
_SCORE = Code("box_score", LOCAL_SCHEME, "Score of the box")
_PEAK = Code("peak", LOCAL_SCHEME, "Peak of the heatmap")
_PRESENT = {True: codes.SCT.Present, False: codes.SCT.Absent}
_PROCEDURE = Code("168537006", "SCT", "Plain radiography")
_SQUARE_MM = codes.UCUM.SquareMillimeter


def make_report(result: ImageResult, source: SourceImage, uids: ResultUids) -> Dataset:
    """Make a Comprehensive SR: a group a class, then for a class that is present a group a box and one for the peak."""
    groups = [group for finding in result.findings for group in _Groups(finding, result, source, uids)]
    device = DeviceObserverIdentifyingAttributes(
        uid=uids.part(KIND, source.reference.SOPInstanceUID, "observer"),
        name=fitting(result.model.name, source.character_set),
        manufacturer_name=MANUFACTURER,
        model_name=fitting(result.model.name, source.character_set),
        serial_number=result.model.weights_sha256 or "unknown",
    )
    report = MeasurementReport(
        observation_context=ObservationContext(
            observer_device_context=ObserverContext(codes.DCM.Device, observer_identifying_attributes=device)
        ),
        procedure_reported=_PROCEDURE,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    report[0].ContentSequence.extend(_comments(source))
    document = ComprehensiveSR(
        evidence=[source.reference],
        content=report[0],
        is_complete=True,
        is_final=False,
        is_verified=False,
        **series_arguments(KIND, source, result.model, uids),
    )
    _separate(document)
    return finish(document, source)


def _separate(item: Dataset) -> None:
    """Tell viewers that items stand for themselves: of a continuous text they show the values without names."""
    if "ContinuityOfContent" in item:
        item.ContinuityOfContent = "SEPARATE"
    for part in item.get("ContentSequence", []):
        _separate(part)


def _comments(source: SourceImage) -> Iterator[TextContentItem]:
    for words in (LIMITS, AT_DETECTOR if source.at_detector else ""):
        if words:
            yield TextContentItem(
                codes.DCM.Comment,
                fitting(words, source.character_set, 1024),
                RelationshipTypeValues.CONTAINS,
            )


class _Groups:
    """The measurement groups of one finding."""

    def __init__(self, finding: Finding, result: ImageResult, source: SourceImage, uids: ResultUids) -> None:
        self.finding, self.source, self.uids = finding, source, uids
        self.label = fitting(finding.label, source.character_set)
        self.code = code(finding_code(self.label))
        self.algorithm = AlgorithmIdentification(
            name=fitting(result.model.name, source.character_set),
            version=fitting(result.model.version, source.character_set),
            parameters=[f"weights_sha256={result.model.weights_sha256 or 'unknown'}"],
        )

    def __iter__(self) -> Iterator[Any]:
        yield self._whole_image()
        if not self.finding.decision:
            return
        for number, region in enumerate(self.finding.regions, 1):
            x0, y0, x1, y1 = self.source.box(region.box)
            corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])
            score = [] if region.score is None else [Measurement(_SCORE, float(region.score), codes.UCUM.NoUnits)]
            yield self._region(f"box {number}", "POLYLINE", corners, score)
        if self.finding.point is not None:
            yield self._region("peak", "POINT", np.array([self.source.point(self.finding.point)]), [], _PEAK)

    def _tracking(self, name: str) -> TrackingIdentifier:
        uid = self.uids.part(KIND, self.source.reference.SOPInstanceUID, f"{self.finding.label}\n{name}")
        return TrackingIdentifier(uid=uid, identifier=f"{self.label}, {name}")

    def _whole_image(self) -> MeasurementsAndQualitativeEvaluations:
        finding, no_unit = self.finding, codes.UCUM.NoUnits
        measured = []
        for name, value in ((codes.DCM.Probability, finding.probability), (_THRESHOLD, finding.threshold)):
            if value is not None:
                measured.append(Measurement(name, round(float(value), 6), no_unit))
        spacing = self.source.upright_spacing
        if finding.decision and finding.mask is not None and spacing is not None:
            area = round(float(np.count_nonzero(finding.mask) * spacing[0] * spacing[1]), 2)
            measured.append(Measurement(codes.SCT.Area, area, _SQUARE_MM))
        return MeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking("whole image"),
            finding_type=self.code,
            algorithm_id=self.algorithm,
            measurements=measured,
            qualitative_evaluations=[QualitativeEvaluation(codes.DCM.PresenceOfProperty, _PRESENT[finding.decision])],
            source_images=[SourceImageForMeasurementGroup.from_source_image(self.source.reference)],
        )

    def _region(
        self, name: str, shape: str, points: np.ndarray, measured: list[Measurement], purpose: Code | None = None
    ) -> PlanarROIMeasurementsAndQualitativeEvaluations:
        image = SourceImageForRegion.from_source_image(self.source.reference)
        return PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=self._tracking(name),
            referenced_region=ImageRegion(shape, points, source_image=image),
            finding_type=self.code,
            algorithm_id=self.algorithm,
            finding_sites=[FindingSite(code(LUNG))],
            measurements=measured,
            geometric_purpose=purpose,
        )
