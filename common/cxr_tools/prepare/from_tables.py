"""A datalist from plain tables by a column mapping."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cxr_common.boxes import xywh_to_xyxy
from cxr_common.data.datalist import item_group
from cxr_common.data.datalist_schema import SPLITS
from cxr_common.errors import InputError
from cxr_tools.prepare.labels import cell_value, label_value, rule_columns
from cxr_tools.prepare.listed import listed_as_columns
from cxr_tools.prepare.mapping import AnnotationTable, BoxTable, ColumnMapping, ImageTable, MaskTable, Source
from cxr_tools.prepare.readers import RULES
from cxr_tools.prepare.sources import source_text
from cxr_tools.prepare.splits import draw_sections
from cxr_tools.prepare.tables import Row, read_table

_REPEATED = (
    f"choose a rule: set images.repeated to {', '.join(RULES)} (readers vote, class by class), or to true (all say the"
    " same), or take one reader by where"
)


def datalist_from_tables(
    mapping: ColumnMapping, root: Path, fractions: tuple[float, float] = (0.15, 0.15), seed: int = 0
) -> dict[str, Any]:
    """Build a datalist.

    Args:
        mapping: which column becomes what.
        root: data set root; tables and paths are relative to it.
        fractions: share of validation and testing, used where the mapping has no split column.
        seed: of that draw.

    Returns:
        The datalist, its items in the order of the image table. Where masks are to be joined and an image has several
        of a class, "mask" lists them: see :func:`~cxr_tools.prepare.join_masks.join_masks`.

    Raises:
        InputError: a cell that makes no sense (file, line, column), or tables that do not match.
    """
    table, names = mapping.images, list(mapping.labels)
    rows = read_table(root / table.table)
    if table.listed is not None:
        columns = [column for rule in mapping.labels.values() for column in rule_columns(rule)]
        rows = listed_as_columns(rows, table.listed, [*columns, *table.findings])
    chosen = [row for row in rows if row.matches(table.where)]
    if not chosen:
        raise InputError(f"no row matches {table.where}", where=root / table.table)
    groups = _rows_of_images(chosen, table)
    chosen = [group[0] for group in groups]
    items = [_item(row, table) for row in chosen]
    for group, row, item in zip(groups, chosen, items, strict=True):
        item["label"] = _label(group, mapping)
        if table.findings:
            item["findings"] = [name for name in table.findings if cell_value(row, name, mapping.values) == 1]
    for part, add in ((mapping.boxes, _add_box), (mapping.masks, _add_mask)):
        if part is not None:
            _annotate(part, add, root, names, rows, chosen, items, table.id or table.image)
    if table.split is None:
        sections: list[str | None] = [*draw_sections([item_group(item) for item in items], fractions, seed)]
    else:
        sections = [_section(row, table.split, table.splits) for row in chosen]
    data: dict[str, Any] = {"labels": names, **{section: [] for section in SPLITS}}
    for item, section in zip(items, sections, strict=True):
        if section is not None:
            data.setdefault(section, []).append(item)
    return data


def _rows_of_images(rows: list[Row], table: ImageTable) -> list[list[Row]]:
    """Rows by image, in the order of the first of each."""
    source = table.id or table.image
    images: dict[str, list[Row]] = {}
    for row in rows:
        column, name = source_text(row, source)
        images.setdefault(name, []).append(row)
        if len(images[name]) > 1 and not table.repeated:
            reason = f"{name!r} has a row here and in line {images[name][0].line}"
            raise row.error(column, reason, _REPEATED)
    return [*images.values()]


def _label(rows: list[Row], mapping: ColumnMapping) -> list[int | None]:
    """One value per class, by the rule for rows that disagree."""
    voted = RULES.get(str(mapping.images.repeated))
    said = [[label_value(row, rule, mapping.values) for rule in mapping.labels.values()] for row in rows]
    if voted is not None:
        return [voted(values) for values in zip(*said, strict=True)]
    for row, values in zip(rows, said, strict=True):
        if values != said[0]:
            column, name = source_text(row, mapping.images.id or mapping.images.image)
            raise row.error(column, f"{name!r} has other labels here than in line {rows[0].line}", _REPEATED)
    return said[0]


def _item(row: Row, table: ImageTable) -> dict[str, Any]:
    column, name = source_text(row, table.image)
    if not name:
        raise row.error(column, "names no image")
    item: dict[str, Any] = {"image": f"{table.prefix}{name}{table.suffix}"}
    for key, source in (("patient", table.patient), ("group", table.group)):
        if source is not None:
            column, text = source_text(row, source)
            if not text:
                raise row.error(column, f"is empty, so the {key} is unknown", "leave the row out by where, or fill it")
            item[key] = text
    for key, source in table.keep.items():
        if (value := _kept(row, source)) is not None:
            item[key] = value
    return item


def _kept(row: Row, source: Any) -> str | int | float | None:
    if isinstance(source, dict) and "value" in source:
        return source["value"]
    _, cell = source_text(row, source)
    if not cell:
        return None
    if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", cell):  # not 007, which is an identifier
        return int(float(cell)) if float(cell).is_integer() else float(cell)
    return cell


def _section(row: Row, source: Source, splits: dict[str, str | None]) -> str | None:
    column, name = source_text(row, source)
    for known, section in splits.items():
        if name.casefold() == str(known).casefold():
            return section
    raise row.error(column, f"{name!r} is not a split", f"splits are {', '.join(map(str, splits))}")


def _annotate(
    part: AnnotationTable,
    add: Any,
    root: Path,
    names: list[str],
    rows: list[Row],
    chosen: list[Row],
    items: list[dict[str, Any]],
    id_source: Source,
) -> None:
    key = "boxes" if isinstance(part, BoxTable) else "mask"
    by_id = {source_text(row, id_source)[1]: item for row, item in zip(chosen, items, strict=True)}
    known = {source_text(row, id_source)[1] for row in rows}
    annotations = [row for row in read_table(root / part.table) if row.matches(part.where)]
    if not annotations:
        raise InputError(f"no row matches {part.where}", where=root / part.table)
    for row, item in zip(chosen, items, strict=True):
        if part.annotated is not None and row.matches(part.annotated):
            item |= _no_boxes(part) if isinstance(part, BoxTable) else {"mask": {}}
    for row in annotations:
        column, id = source_text(row, part.id)
        if id not in known:
            raise row.error(column, f"{id!r} is not an image of {rows[0].table.name}")
        if (found := by_id.get(id)) is None:
            continue
        name = part.classes.get(row[part.label], row[part.label])
        if name is None:
            continue
        if name not in names:
            raise row.error(part.label, f"{name!r} is none of the labels", "map it under classes to one, or to null")
        if part.annotated is not None and key not in found:
            raise row.error(column, f"has {key}, yet its image is not among the annotated: {part.annotated}")
        add(part, row, found, name, names)


def _no_boxes(part: BoxTable) -> dict[str, Any]:
    return {"boxes": [], "box_labels": [], **({"box_findings": []} if part.findings else {})}


def _add_box(part: BoxTable, row: Row, item: dict[str, Any], name: str, names: list[str]) -> None:
    columns = part.xywh or part.xyxy or []
    numbers = [row.number(column) for column in columns]
    box = list(xywh_to_xyxy(numbers)) if part.xywh else numbers
    if not (box[0] < box[2] and box[1] < box[3]):
        raise row.error(columns[2], f"makes an empty box {box}")
    # Tables round to 1/100 of a pixel at best; so the sum is not written as 461.08000000000004.
    for key, value in _no_boxes(part).items():
        item.setdefault(key, value)
    item["boxes"].append([round(v, 4) for v in box])
    item["box_labels"].append(names.index(name))
    if part.findings:
        item["box_findings"].append(row[part.label])


def _add_mask(part: MaskTable, row: Row, item: dict[str, Any], name: str, names: list[str]) -> None:
    masks = item.setdefault("mask", {})
    if name in masks and not part.join:
        action = "give one file per class, or set masks.join"
        raise row.error(part.label, f"is a second mask of {name} for {item['image']}", action)
    before, new = masks.get(name), row[part.file] or None
    if before and new:
        masks[name] = [*(before if isinstance(before, list) else [before]), new]
    else:
        masks[name] = before or new
    if part.origin is not None:
        item["mask_origin"] = part.origin
