"""What findings.json and thresholds.json hold, as far as anything reads it (docs/findings.md describes every field)."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cxr_common.json_files import Record

Probability = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Of a file in the same folder: no slash, not "." or "..".
FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]*[^/\\\x00.][^/\\\x00]*$", max_length=255)]
Side = Annotated[int, Field(gt=0, le=10_000)]
Box = Annotated[list[float], Field(min_length=4, max_length=4)]


def _not_upwards(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError("the path leads out of input_dir")
    return path


class BoxRecord(Record):
    """One box of a finding: xyxy, half-open, pixels of the original; `score` is its probability."""

    box: Box
    score: float | None = None


class FindingRecord(Record):
    """One class of one image.

    `point` is the peak (x, y); `area_px` and `area_mm2` are a segmenter's, `image_probability` a detector's.
    """

    label: Name
    probability: Probability | None
    image_probability: Probability | None = None
    decision: bool
    threshold: float | None = None
    point: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    boxes: list[BoxRecord] = []
    area_px: int | None = None
    area_mm2: float | None = None


class FilesRecord(Record):
    """Names of an image's files, all in the folder of findings.json."""

    overlay: FileName | None = None
    heatmap: FileName | None = None
    masks: dict[str, FileName] = {}


class ImageFindings(Record):
    """What was found on one image; `path` is the image's own."""

    path: Annotated[str, Field(min_length=1)]
    size: Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=2, max_length=2)]
    spacing_mm: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None
    view: str | None = None
    sop_instance_uid: str | None = None
    warnings: list[str] = []
    findings: list[FindingRecord]


class ImageRecord(ImageFindings):
    """One image of a run; `path` is relative to `input_dir` where it lies there."""

    case: Name
    path: Annotated[str, Field(min_length=1), AfterValidator(_not_upwards)]
    files: FilesRecord


class UsedThresholds(Record):
    """The thresholds of a run."""

    source: str = ""
    decision: dict[str, float] = {}
    mask: dict[str, float] = {}
    mask_mode: str | None = None


class ModelRecord(Record):
    """The model of a run."""

    name: str
    version: str
    labels: Annotated[list[Name], Field(min_length=1)]
    weights_sha256: str | None = None
    thresholds: UsedThresholds | None = None


class FailureRecord(Record):
    """One input that failed."""

    path: str
    reason: str
    action: str | None = None


class SummaryRecord(Record):
    """Counts of a run."""

    images: int
    failures: int


class FindingsRecord(Record):
    """findings.json."""

    model: ModelRecord
    input_dir: str | None = None
    summary: SummaryRecord | None = None
    images: list[ImageRecord]
    failures: list[FailureRecord] = []

    @model_validator(mode="after")
    def every_class(self) -> FindingsRecord:
        """Every image has the classes of the model, in their order."""
        for image in self.images:
            if [finding.label for finding in image.findings] != self.model.labels:
                raise ValueError(f"the findings of {image.path!r} are not of the model's classes")
        return self


class TunedOn(Record):
    """How thresholds were tuned."""

    input_size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None


class ThresholdsRecord(Record):
    """What thresholds.json of any kind holds."""

    kind: Literal["maps", "boxes"] = "maps"
    labels: Annotated[list[Name], Field(min_length=1)]
    decision: dict[str, Probability]
    tuned_on: TunedOn | None = None
    weights_sha256: str | None = None


class BoxThresholdsRecord(ThresholdsRecord):
    """thresholds.json of a network that gives boxes."""

    kind: Literal["boxes"]


Steps = Annotated[int, Field(ge=0, le=10_000)]


class WalkRecord(Record):
    """A random walk; `steps` is one number, or one for each class."""

    radius: Annotated[int, Field(ge=2, le=100)]
    beta: Annotated[float, Field(gt=0)]
    steps: Steps | dict[str, Steps]


class MapThresholdsRecord(ThresholdsRecord):
    """thresholds.json of a network that gives maps."""

    kind: Literal["maps"] = "maps"
    mask: dict[str, Probability]
    mask_mode: Literal["relative", "absolute"] = "relative"
    walk: WalkRecord | None = None
