"""A column mapping: which column of which table becomes which key of a datalist.

`mappings/shared_cxr_nih.yaml` is an example with every key explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

from cxr_common.errors import InputError
from cxr_tools.prepare.readers import RULES
from cxr_tools.prepare.sources import check_source
from cxr_tools.yaml_files import read_yaml

SPLIT_NAMES = {
    "train": "training",
    "training": "training",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "testing",
    "testing": "testing",
}

#: A column, or {column, extract, prefix}: see `sources`.
Source: TypeAlias = "str | dict[str, str]"


@dataclass(frozen=True)
class ImageTable:
    """The table with one row per image.

    ``image`` to ``split`` name a column each, or a part of it as ``{column, extract, prefix}``: what a regular
    expression finds in the cell (its first group, where it has groups), with a text before it.

    Attributes:
        table: csv file, relative to the data set root.
        image: image path, relative to the data set root.
        id: what box and mask tables call the image; default ``image``.
        patient: patient identifier.
        group: what splits keep together.
        split: split name; without it the split is drawn at random.
        prefix: put before every image path, such as a folder.
        suffix: put after it, such as an extension.
        where: column -> value or values that a row must hold to be used.
        splits: split name -> section, or null to leave the row out.
        keep: key of the item -> column, or {column, extract, prefix}, or {value: of all items}.
        listed: a column that lists findings by name, "Mass|Nodule", or {column, separator}; labels and ``findings`` may
            then name these as if they were columns.
        findings: columns of the source's own findings; the names of those that hold 1 become the item's ``findings``.
        repeated: whether an image may have several rows. True, as in tables with one row per box: all must say the same
            of the labels. Or a rule for readers who disagree: "majority", "any" or "all", see :mod:`readers`. Whatever
            else an item holds is taken from the first row.
    """

    table: str
    image: Source = "image"
    id: Source | None = None
    patient: Source | None = None
    group: Source | None = None
    split: Source | None = None
    prefix: str = ""
    suffix: str = ""
    where: dict[str, Any] = field(default_factory=dict)
    splits: dict[str, str | None] = field(default_factory=lambda: dict(SPLIT_NAMES))
    keep: dict[str, Any] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    listed: str | dict[str, str] | None = None
    repeated: bool | str = False


@dataclass(frozen=True)
class AnnotationTable:
    """A table with one row per box or mask.

    Attributes:
        table: csv file, relative to the data set root.
        id: column of the image identifier, or a part of it, as in :class:`ImageTable`.
        label: column of the class.
        classes: class in the table -> label of the datalist, or null to leave it out; others keep their name.
        where: column -> value or values that a row must hold to be used.
        annotated: condition on the *image* table's row under which an image counts as annotated, so that one without a
            row here is annotated, none found; null: images with a row here; {}: every image.
    """

    table: str
    id: Source = "image"
    label: str = "label"
    classes: dict[str, str | None] = field(default_factory=dict)
    where: dict[str, Any] = field(default_factory=dict)
    annotated: dict[str, Any] | None = None


@dataclass(frozen=True)
class BoxTable(AnnotationTable):
    """Boxes in pixels of the image file; give the four columns of one form.

    Attributes:
        xywh: columns of left, top, width, height.
        xyxy: columns of left, top, right, bottom (half-open).
        findings: whether the table's own class of each box is kept, as the item's ``box_findings``.
    """

    xywh: list[str] | None = None
    xyxy: list[str] | None = None
    findings: bool = False


@dataclass(frozen=True)
class MaskTable(AnnotationTable):
    """Masks, one file per class unless they are joined; an empty cell is an empty mask.

    Attributes:
        file: column of the mask path, relative to the data set root.
        origin: ``expert`` or ``pseudo``, recorded with each image.
        join: whether several masks of a class in an image are one; else the second is an error.
    """

    file: str = "mask"
    origin: str | None = None
    join: bool = False


@dataclass(frozen=True)
class ColumnMapping:
    """All of a mapping file.

    Attributes:
        images: the image table.
        labels: label -> column, null, or {any: columns, none: column}; see `labels.label_value`.
        values: cell -> 1, 0, -1 or null, beyond these four themselves and the empty cell, which is null.
        boxes: the box table, if any.
        masks: the mask table, if any.
    """

    images: ImageTable
    labels: dict[str, Any]
    values: dict[Any, int | None] = field(default_factory=dict)
    boxes: BoxTable | None = None
    masks: MaskTable | None = None


def read_mapping(path: str | Path) -> dict[str, Any]:
    """Read a mapping file.

    Args:
        path: YAML file, or the name of one that comes with this tool, such as ``shared_cxr_nih``.

    Raises:
        InputError: no such file, or not a YAML mapping.
    """
    shipped = Path(__file__).parent / "mappings" / f"{path}.yaml"
    path = shipped if shipped.is_file() else Path(path)
    if not path.exists():
        names = ", ".join(sorted(p.stem for p in shipped.parent.glob("*.yaml")))
        raise InputError("no such file or directory", path, f"shipped mappings: {names}")
    data = read_yaml(path)
    if not isinstance(data, dict):
        raise InputError("is not a mapping of keys", where=path)
    return data


def parse_mapping(data: Mapping[str, Any], where: object = "mapping") -> ColumnMapping:
    """Build a mapping from its plain form.

    Args:
        data: as read from YAML.
        where: named in errors.

    Raises:
        InputError: a key is unknown, missing, or of the wrong kind.
    """
    parts: dict[str, Any] = dict(data)
    parts["images"] = _section(ImageTable, parts.get("images"), f"{where}: images")
    _check_images(parts["images"], f"{where}: images")
    if parts.get("boxes") is not None:
        parts["boxes"] = boxes = _section(BoxTable, parts["boxes"], f"{where}: boxes")
        columns = boxes.xywh or boxes.xyxy
        if (boxes.xywh is None) == (boxes.xyxy is None) or not isinstance(columns, list) or len(columns) != 4:
            raise InputError("needs four columns as xywh or as xyxy", where=f"{where}: boxes")
    if parts.get("masks") is not None:
        parts["masks"] = _section(MaskTable, parts["masks"], f"{where}: masks")
    for name in ("boxes", "masks"):
        if parts.get(name) is not None:
            check_source(parts[name].id, f"{where}: {name}: id")
    if not isinstance(parts.get("labels"), dict) or not parts["labels"]:
        raise InputError("no labels given", where=where, action="--labels A,B; in a file, label: column")
    mapping: ColumnMapping = _section(ColumnMapping, parts, str(where))
    for cell, value in mapping.values.items():
        if value not in (1, 0, -1, None) or isinstance(value, bool):
            raise InputError(f"{value!r} is not a label value", f"{where}: values: {cell}", "give 1, 0, -1 or null")
    return mapping


def _check_images(images: ImageTable, where: str) -> None:
    for key in ("image", "id", "patient", "group", "split"):
        if (source := getattr(images, key)) is not None:
            check_source(source, f"{where}: {key}")
    for key, source in images.keep.items():
        if not (isinstance(source, Mapping) and set(source) == {"value"}):
            check_source(source, f"{where}: keep: {key}")
    listed = {"column": images.listed} if isinstance(images.listed, str) else images.listed
    if listed is not None and not (isinstance(listed, Mapping) and isinstance(listed.get("column"), str)):
        raise InputError("names no column", f"{where}: listed", "give a column, or {column: ..., separator: '|'}")
    if images.repeated not in (True, False, *RULES):
        raise InputError(f"is {images.repeated!r}", f"{where}: repeated", f"give true, {', '.join(RULES)}, or false")


def _section(kind: type, data: Any, where: str) -> Any:
    if isinstance(data, str):
        data = {"table": data}
    if not isinstance(data, Mapping):
        raise InputError("is missing or not a mapping of keys", where=where)
    names = [f.name for f in fields(kind)]
    unknown = [key for key in data if key not in names]
    if unknown:
        raise InputError(f"unknown key {unknown[0]!r}", where=where, action=f"keys are {', '.join(names)}")
    for key in ("where", "splits", "keep", "classes", "values"):
        if key in data and not isinstance(data[key], Mapping):
            raise InputError(f"{key} must be a mapping of keys", where=where)
    try:
        return kind(**data)
    except TypeError:
        raise InputError("no table given", where=where) from None
