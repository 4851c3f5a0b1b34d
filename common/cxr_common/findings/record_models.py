"""What findings.json and thresholds.json hold, declared once: files are checked by it, docs/schemas is made from it.

Reading is lenient where files of older versions differ: what nothing here reads may be absent.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cxr_common.data.limits import MAX_PIXELS
from cxr_common.json_files import Record

Probability = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
#: Of a file in the same folder: no slash, not "." or "..".
FileName = Annotated[str, Field(pattern=r"^[^/\\\x00]*[^/\\\x00.][^/\\\x00]*$", max_length=255)]
Side = Annotated[int, Field(gt=0, le=10_000)]
Pair = Annotated[list[float], Field(min_length=2, max_length=2)]
Steps = Annotated[int, Field(ge=0, le=10_000)]


def _not_upwards(path: str) -> str:
    if ".." in PurePosixPath(path).parts:
        raise ValueError("the path leads out of input_dir")
    return path


def _not_inverted(box: list[float]) -> list[float]:
    if box[2] < box[0] or box[3] < box[1]:
        raise ValueError("the box is inverted: x0, y0, x1, y1 are needed")
    return box


def _not_too_large(size: list[int]) -> list[int]:
    if size[0] * size[1] > MAX_PIXELS:
        raise ValueError(f"the image is too large ({size[0]} x {size[1]})")
    return size


def _not_twice(labels: list[str]) -> list[str]:
    if len(set(labels)) < len(labels):
        raise ValueError("a class is there twice")
    return labels


def _of_length(pair: list[float]) -> list[float]:
    if min(pair) <= 0:
        raise ValueError("the spacing is not above 0")
    return pair


def _plain(name: str) -> str:
    if "/" in name or "\\" in name or not name.strip("."):
        raise ValueError("the case is not a plain name")
    return name


Box = Annotated[list[float], Field(min_length=4, max_length=4), AfterValidator(_not_inverted)]
Size = Annotated[list[Annotated[int, Field(gt=0)]], Field(min_length=2, max_length=2), AfterValidator(_not_too_large)]
Labels = Annotated[list[Name], Field(min_length=1), AfterValidator(_not_twice)]


class BoxRecord(Record):
    """One box of a finding."""

    box: Box
    """[x0, y0, x1, y1], half-open, in pixels of the original image."""
    score: float | None = None
    """Its probability."""


class FindingRecord(Record):
    """One class of one image."""

    label: Name
    """Name of the class."""
    probability: Probability | None
    """Of the class; a detector's is the best box's score."""
    image_probability: Probability | None = None
    """Of the image-level head of a detector."""
    threshold: Probability | None = None
    """From which probability on the class is decided present."""
    decision: bool
    """Whether it is."""
    point: Pair | None = None
    """[x, y] of the largest value; null where a detector has no box."""
    boxes: list[BoxRecord] = []
    """By falling score; of a class decided present."""
    area_px: Annotated[int, Field(ge=0)] | None = None
    """Pixels of a segmenter's mask."""
    area_mm2: Annotated[float, Field(ge=0)] | None = None
    """The same in mm^2; null where the spacing is unknown."""


class FilesRecord(Record):
    """Names of an image's files, all in the folder of findings.json; other outputs add keys of their own."""

    overlay: FileName | None = None
    """The sheet for people."""
    heatmap: FileName | None = None
    """The heatmaps of all classes."""
    masks: dict[str, FileName] = {}
    """Class decided present -> its mask."""


class ImageFindings(Record):
    """What was found on one image."""

    path: Annotated[str, Field(min_length=1)]
    """Path of the image."""
    size: Size
    """[width, height] in pixels, upright."""
    spacing_mm: Annotated[Pair, AfterValidator(_of_length)] | None = None
    """[column, row] in mm per pixel; null where it is unknown."""
    view: str | None = None
    """View by the header, such as PA."""
    sop_instance_uid: str | None = None
    """Of a DICOM file."""
    warnings: list[str] = []
    """What was assumed, and what is doubtful."""
    findings: list[FindingRecord]
    """One for each class, in the order of the model's labels."""
    cardiothoracic_ratio: Annotated[float, Field(gt=0)] | None = None
    """Width of the heart over that of the chest, by a model with the classes Heart and Lungs; null where one of the two
    is not seen."""


class ImageRecord(ImageFindings):
    """One image of a run."""

    case: Annotated[Name, AfterValidator(_plain)]
    """What the names of its files start with."""
    path: Annotated[str, Field(min_length=1), AfterValidator(_not_upwards)]
    """Path of the image, relative to input_dir where it lies there."""
    files: FilesRecord


Levels = float | list[float]


class Intensity(Record):
    """Scale of the network's input: (grey in [0, 1] - mean) / std; one number, or one for each channel."""

    mean: Levels
    """Subtracted."""
    std: Levels
    """Divided by."""


class TunedOn(Record):
    """How thresholds were tuned."""

    input_size: Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None
    """X, Y of the network input that they were tuned at."""
    intensity: Intensity | None = None
    """Scale of the grey values that the weights learned from."""
    criterion: str | None = None
    """What makes a threshold the best one."""


class WalkRecord(Record):
    """A random walk over heatmaps."""

    radius: Annotated[int, Field(ge=2, le=100)]
    """Of the neighbourhood, in pixels of the map."""
    beta: Annotated[float, Field(gt=0)]
    """Power that affinities are raised to."""
    steps: Steps | dict[str, Steps]
    """Number of steps; one, or one for each class."""


class UsedThresholds(Record):
    """The thresholds of a run."""

    source: str = ""
    """File that they were read from, or "default"."""
    decision: dict[str, Probability] = {}
    """Class -> probability from which on it is present."""
    mask: dict[str, Probability] = {}
    """Class -> threshold on the heatmap; absent for boxes."""
    mask_mode: Literal["relative", "absolute"] | None = None
    """Whether `mask` is a share of the heatmap's largest value, or a value of the heatmap."""
    tuned_on: TunedOn | None = None
    """Null for the defaults."""
    weights_sha256: str | None = None
    """Weights that they were tuned for."""
    walk: WalkRecord | None = None
    """Random walk that the heatmaps went through."""


class ModelRecord(Record):
    """The model of a run; a network may tell more of itself, such as `layer_relevance` or `saliency`."""

    name: str
    """Name of the bundle."""
    version: str
    """Its version."""
    weights_sha256: str | None = None
    """Hash of its weights."""
    labels: Labels
    """Class names in the order of the channels."""
    thresholds: UsedThresholds | None = None


class FailureRecord(Record):
    """One input that failed."""

    path: str
    """The input; empty where none can be named."""
    reason: str
    """What is wrong."""
    action: str | None = None
    """What to do."""


class SummaryRecord(Record):
    """Counts of a run."""

    images: Annotated[int, Field(ge=0)]
    """Images done."""
    failures: Annotated[int, Field(ge=0)]
    """Inputs that failed."""


class FindingsRecord(Record):
    """findings.json: the record of one run."""

    schema_version: str = "1.0"
    """Version of this format."""
    created: str = ""
    """Date and time, ISO 8601 with time zone."""
    notice: str = ""
    """Limits of use."""
    model: ModelRecord
    input_dir: str | None = None
    """Folder that the images' paths are relative to."""
    summary: SummaryRecord | None = None
    images: list[ImageRecord]
    failures: list[FailureRecord] = []

    @model_validator(mode="after")
    def every_class(self) -> FindingsRecord:
        """Every image has a name of its own and the classes of the model, in their order."""
        seen: set[str] = set()
        for image in self.images:
            if image.case in seen:
                raise ValueError(f"two images are the case {image.case!r}")
            seen.add(image.case)
            if unknown := set(image.files.masks) - set(self.model.labels):
                raise ValueError(f"{image.path!r} has a mask of {min(unknown)!r}, which is not a class of the model")
            if [finding.label for finding in image.findings] != self.model.labels:
                raise ValueError(f"the findings of {image.path!r} are not of the model's classes")
        return self


class ThresholdsRecord(Record):
    """thresholds.json, of any kind; it lies beside the weights."""

    kind: Literal["maps", "boxes"] = "maps"
    """What the network gives; a file without it is of maps."""
    labels: Labels
    """Class names in the order of the channels."""
    decision: dict[str, Probability]
    """Class -> probability (of boxes: score) from which on it is present."""
    tuned_on: TunedOn | None = None
    """Null for the defaults."""
    weights_sha256: str | None = None
    """Weights that they were tuned for; null where that is not checked."""


class BoxThresholdsRecord(ThresholdsRecord):
    """thresholds.json of a network that gives boxes."""

    kind: Literal["boxes"]
    """What the network gives."""


class MapThresholdsRecord(ThresholdsRecord):
    """thresholds.json of a network that gives maps."""

    kind: Literal["maps"] = "maps"
    """What the network gives."""
    mask: dict[str, Probability]
    """Class -> threshold on the heatmap."""
    mask_mode: Literal["relative", "absolute"] = "relative"
    """Whether `mask` is a share of the heatmap's largest value, or a value of the heatmap."""
    walk: WalkRecord | None = None
    """Random walk that the heatmaps went through; relation networks only."""
