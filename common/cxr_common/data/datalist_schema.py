"""What a datalist holds, declared once: items are checked by it, and docs/schemas/datalist.json is made from it.

A key that is absent means *not annotated*. Other keys pass through. Paths that lead out of the data set root (``../``)
need ``outside: true`` beside ``labels``; links are followed, because whoever owns the folder made them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Required

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from cxr_common.data import datalist_faults as faults
from cxr_common.data.datalist_faults import LABEL_VALUES, MASK_ORIGINS

#: What a data set is split into.
SPLITS: tuple[str, ...] = ("training", "validation", "testing")
SECTIONS: tuple[str, ...] = (*SPLITS, "localisation")
#: Keys that hold the path of one file.
FILES = ("image", "heatmap", "label_map")
#: Names of classes become parts of file names.
LONGEST_LABEL = 100
_CONFIG = ConfigDict(strict=True, extra="allow", use_attribute_docstrings=True)


@dataclass(frozen=True)
class Problem:
    """One departure from the format.

    Attributes:
        where: section, index and field, such as ``training[3].boxes[0]``.
        reason: what is wrong there.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def _checked(fault: Callable[[Any, list[str]], str | None]) -> BeforeValidator:
    """A check (value, class names) -> what is wrong, in words that a user understands; None where it is sound."""

    def check(value: Any, info: ValidationInfo) -> Any:
        if reason := fault(value, (info.context or {})["labels"]):
            # In the context, for braces in a message are places of values.
            raise PydanticCustomError("datalist", "{reason}", {"reason": reason})
        return value

    return BeforeValidator(check)


RelativePath = Annotated[
    str,
    _checked(faults.path_fault),
    WithJsonSchema({"type": "string", "pattern": r"^(?!/)(?![A-Za-z]:)[^\\]*[^\\\s][^\\]*$"}),
]
Identifier = Annotated[str | int, _checked(faults.identifier_fault)]
LabelValue = Annotated[
    float | None, _checked(faults.label_value_fault), WithJsonSchema({"enum": [*LABEL_VALUES, None]})
]
DatalistBox = Annotated[
    list[float],
    _checked(faults.box_fault),
    WithJsonSchema({"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 4, "maxItems": 4}),
]
ClassIndex = Annotated[int, _checked(faults.class_index_fault), WithJsonSchema({"type": "integer", "minimum": 0})]
ClassName = Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)]
Names = Annotated[list[Annotated[str, Field(min_length=1)]], _checked(faults.names_fault)]


class DatalistItem(TypedDict, total=False):
    """One image of a datalist, and what is known of it."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc] # pydantic reads it here

    image: Required[RelativePath]
    """Path relative to the data set root, with forward slashes."""
    patient: Identifier
    """Identifier; sections and intervals keep a patient together."""
    group: Identifier
    """What splits keep together; the patient where it is absent."""
    label: Annotated[list[LabelValue], _checked(faults.label_fault)]
    """One value for each class: 1 present, 0 absent, -1 uncertain, null not annotated."""
    boxes: Annotated[list[DatalistBox], _checked(faults.list_fault)]
    """[x0, y0, x1, y1] each, half-open, in pixels of the original image; []: annotated, none found."""
    box_labels: Annotated[list[ClassIndex], _checked(faults.list_fault)]
    """One class index for each box."""
    box_findings: Names
    """One name for each box, as the source calls it; where it is finer than the class."""
    chest: DatalistBox
    """[x0, y0, x1, y1] around lungs and heart, in pixels of the original image."""
    findings: Names
    """Names of the findings that the source says are present; []: none; where they are finer than the labels."""
    mask: Annotated[dict[str, RelativePath | None], _checked(faults.mask_fault)]
    """Class name -> path, or null: annotated, empty; a class that is not listed is not annotated."""
    mask_origin: Annotated[str, _checked(faults.origin_fault), WithJsonSchema({"enum": [*MASK_ORIGINS]})]
    """Whether an expert or a method drew the masks."""
    heatmap: RelativePath
    """Path of a localiser's .npz."""
    label_map: RelativePath
    """Path of a palette PNG of classes that do not overlap: 0 background, i + 1 label i, 255 void (not scored)."""


class Datalist(TypedDict, total=False):
    """The one JSON file that every training and scoring reads."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc] # pydantic reads it here

    labels: Required[
        Annotated[list[Annotated[str, Field(min_length=1, max_length=LONGEST_LABEL)]], Field(min_length=1)]
    ]
    """Class names, in the order of each item's label."""
    outside: bool
    """Whether paths may lead out of the data set root."""
    training: list[DatalistItem]
    """Images to learn from."""
    validation: list[DatalistItem]
    """Images that choose the best epoch and the thresholds."""
    testing: list[DatalistItem]
    """Images that are scored."""
    localisation: list[DatalistItem]
    """Images with boxes that are scored apart from testing, and that nothing learns from."""


#: An item as MONAI's transforms take it: what :class:`DatalistItem` has, and any other key.
Item = dict[str, Any]
_ITEM = TypeAdapter(DatalistItem)


def item_paths(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, path) for every file that an item names."""
    for field in FILES:
        if isinstance(item.get(field), str):
            yield field, item[field]
    mask = item.get("mask")
    if isinstance(mask, Mapping):
        for name, path in mask.items():
            if isinstance(path, str):
                yield f"mask[{name!r}]", path


def item_problems(where: str, item: Mapping[str, Any], labels: list[str]) -> Iterator[Problem]:
    """Check the fields of one item.

    Args:
        where: place of the item, such as ``training[3]``.
        item: the item.
        labels: class names of the datalist.

    Yields:
        What breaks the format, field by field.
    """
    try:
        _ITEM.validate_python(item, context={"labels": labels})
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            field, *inner = problem["loc"]
            place = "".join(f"[{part!r}]" for part in inner)
            reason = "is missing" if problem["type"] == "missing" else problem["msg"]
            yield Problem(f"{where}.{field}{place}", reason)
    yield from _pairs(where, item)


def _pairs(where: str, item: Mapping[str, Any]) -> Iterator[Problem]:
    """What belongs to each box must be there once for each."""
    boxes = item.get("boxes", [])
    if not isinstance(boxes, list):
        return
    classes, names = item.get("box_labels", []), item.get("box_findings")
    if "box_labels" in item and "boxes" not in item:
        yield Problem(f"{where}.box_labels", "is given without boxes")
    elif isinstance(classes, list) and len(boxes) != len(classes):
        yield Problem(f"{where}.box_labels", f"has {len(classes)} entries for {len(boxes)} boxes")
    if isinstance(names, list) and len(names) != len(boxes):
        yield Problem(f"{where}.box_findings", f"has {len(names)} entries for {len(boxes)} boxes")
