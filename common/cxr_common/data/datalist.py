"""Datalists: the one JSON file that feeds every bundle. `datalist_schema` describes the format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cxr_common.data.datalist_io import parse_datalist, raise_problems, read_datalist
from cxr_common.data.datalist_schema import SECTIONS, Item, Problem, item_paths
from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.errors import InputError
from cxr_common.files import as_path


def load_labels(path: str | Path) -> list[str]:
    """The class names of a datalist.

    Args:
        path: the JSON file.

    Returns:
        Names in the order of each item's ``label``.

    Raises:
        InputError: see :func:`read_datalist`.
    """
    return list(read_datalist(path)["labels"])


def load_datalist(
    path: str | Path,
    section: str | None = None,
    base_dir: str | Path | None = None,
    labels: Sequence[str] | None = None,
    require: Sequence[str] = ("label",),
    check_files: bool = True,
) -> list[Item]:
    """Load the items of one section, checked, with absolute paths.

    Args:
        path: the JSON file.
        section: one of ``SECTIONS``; None gives all of them in this order.
        base_dir: data set root that paths are relative to; default the datalist's folder.
        labels: classes the caller wants, in its order. Labels, box labels and masks are matched by name: a class that
            the datalist lacks is None (not annotated), boxes and masks of other classes are left out.
        require: keys that every item must have. A key that is absent means not annotated.
        check_files: whether every file of the section must exist, and boxes lie in their image.

    Returns:
        New dicts of the datalist's items; all paths in them are absolute.

    Raises:
        InputError: names the file, section, index and field of the first problems, and how many there are.
    """
    if section is not None and section not in SECTIONS:
        raise InputError(f"no section {section!r}", where=path, action=f"use one of {', '.join(SECTIONS)}")
    path = Path(path)
    data = parse_datalist(path)
    root = Path(os.path.abspath(path.parent if base_dir is None else as_path(base_dir)))
    sections = SECTIONS if section is None else (section,)
    raise_problems(path, validate_datalist(data, root, check_files, sections))
    items = []
    missing = []
    for name in sections:
        for i, item in enumerate(data.get(name, [])):
            items.append(_absolute(item, root))
            missing += [
                Problem(f"{name}[{i}].{key}", "is missing, but needed here") for key in require if key not in item
            ]
    raise_problems(path, missing)
    if not items:
        sizes = ", ".join(f"{name} {len(data.get(name, []))}" for name in SECTIONS)
        raise InputError("holds no items", f"{path} {section or 'datalist'}", f"items per section: {sizes}")
    if labels is not None and list(labels) != data["labels"]:
        items = select_labels(items, data["labels"], labels, where=path)
    return items


def images_of(path: str | Path, section: str, base_dir: str | Path | None = None) -> list[dict[str, str]]:
    """The images of one section and nothing else, as :func:`~cxr_common.data.find_radiographs` lists a folder's.

    Args:
        path: see :func:`load_datalist`, as section and base_dir.
        section: see there.
        base_dir: see there.
    """
    return [{"image": item["image"]} for item in load_datalist(path, section, base_dir, require=())]


def item_group(item: Mapping[str, Any]) -> str:
    """What splits keep together and the bootstrap draws: the group of an image, else its patient, else itself."""
    return str(item.get("group", item.get("patient", item["image"])))


def boxed_classes(label: Iterable[Any] | None, box_labels: Sequence[int], num_classes: int) -> list[bool]:
    """Which classes of an image with ``boxes`` are annotated with boxes.

    A class is if it has a box or the image-level label says that it is absent (0): where the label says present,
    uncertain or nothing, a missing box does not mean that nothing is there. An image whose label is absent or null
    throughout knows its boxes only, so all classes are annotated.

    Args:
        label: one value per class, null or NaN where not annotated; None where there is no label.
        box_labels: class index of each box.
        num_classes: C.
    """
    # NaN is the only value that is not itself.
    values = [None if v is None or v != v else float(v) for v in ([] if label is None else label)]
    if all(v is None for v in values):
        return [True] * num_classes
    return [value == 0 or c in box_labels for c, value in enumerate(values)]


def select_labels(
    items: Sequence[Mapping[str, Any]], source: Sequence[str], target: Sequence[str], where: object = None
) -> list[Item]:
    """Match items by class name to another label list.

    Args:
        items: datalist items over ``source``.
        source: class names of the items.
        target: class names wanted.
        where: named in the error.

    Returns:
        New items over ``target``: unknown classes are None in ``label``; boxes and masks of other classes are left out,
        and so is a label map, whose numbers mean classes of ``source``, where the lists differ.

    Raises:
        InputError: no class is common to both lists.
    """
    if not set(source) & set(target):
        raise InputError(
            f"its labels ({', '.join(source)}) share no name with the labels asked for ({', '.join(target)})",
            where=where,
            action="names must match exactly, case included",
        )
    index = {name: i for i, name in enumerate(target)}
    selected = []
    for item in items:
        new = dict(item)
        if "label" in item:
            values = dict(zip(source, item["label"], strict=True))
            new["label"] = [values.get(name) for name in target]
        if "boxes" in item:
            names = [source[i] for i in item.get("box_labels", [])]
            kept = [i for i, name in enumerate(names) if name in index]
            new["boxes"] = [item["boxes"][i] for i in kept]
            new["box_labels"] = [index[names[i]] for i in kept]
            if "box_findings" in item:
                new["box_findings"] = [item["box_findings"][i] for i in kept]
        if "mask" in item:
            new["mask"] = {name: file for name, file in item["mask"].items() if name in index}
        if list(source) != list(target):
            new.pop("label_map", None)
        selected.append(new)
    return selected


def _absolute(item: Mapping[str, Any], root: Path) -> Item:
    return rebase_paths(item, lambda path: os.path.normpath(root / path))


def relative_item(item: Mapping[str, Any], folder: Path, without: Sequence[str] = ()) -> Item:
    """A copy of an item with its paths, absolute ones, relative to a folder; `without` are keys to leave out."""
    kept = {key: value for key, value in item.items() if key not in without}
    return rebase_paths(kept, lambda path: Path(os.path.relpath(os.path.realpath(path), folder.resolve())).as_posix())


def rebase_paths(item: Mapping[str, Any], rebase: Callable[[str], str]) -> Item:
    """A copy of an item with every path replaced by ``rebase(path)``."""
    new = dict(item)
    for field, path in item_paths(item):
        if field in item:  # fields of a mask read mask['name']
            new[field] = rebase(path)
    if isinstance(item.get("mask"), Mapping):
        new["mask"] = {name: None if path is None else rebase(path) for name, path in item["mask"].items()}
    return new
