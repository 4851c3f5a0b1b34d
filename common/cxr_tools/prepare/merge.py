"""One datalist from several."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cxr_common.data.datalist import rebase_paths, select_labels
from cxr_common.data.datalist_io import read_datalist
from cxr_common.data.datalist_schema import SECTIONS, SPLITS


def merge_datalists(
    paths: Sequence[Path],
    roots: Sequence[Path],
    output_root: Path,
    labels: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    leave_out_leaks: bool = False,
) -> dict[str, Any]:
    """Join datalists, section by section.

    Args:
        paths: the datalists.
        roots: data set root of each.
        output_root: data set root of the result; paths are rewritten relative to it.
        labels: labels of the result; None: all labels of the sources, in the order they first occur. A label that a
            source lacks is null (not annotated) there.
        names: put before the patients and groups of each datalist, as ``name:``, where two sources number their
            patients alike and yet mean others; None: the same identifier is the same patient.
        leave_out_leaks: whether items are left out whose patient or group also stands in a later section (training,
            validation, testing, localisation: a patient that is scored somewhere is trained on nowhere).

    Returns:
        The merged datalist.

    Raises:
        InputError: a datalist is unsound or shares no label with ``labels``.
    """
    sources = [read_datalist(path) for path in paths]
    union = list(labels or dict.fromkeys(label for source in sources for label in source["labels"]))
    data: dict[str, Any] = {"labels": union, **{section: [] for section in SPLITS}}
    for path, root, source, name in zip(paths, roots, sources, names or [""] * len(paths), strict=True):
        shift = Path(os.path.relpath(root, output_root)).as_posix()

        def rebase(file: str, shift: str = shift) -> str:
            return os.path.normpath(f"{shift}/{file}")

        for section in SECTIONS:
            items = source.get(section, [])
            if items:
                selected = select_labels(items, source["labels"], union, path)
                data.setdefault(section, []).extend(_renamed(rebase_paths(item, rebase), name) for item in selected)
    if leave_out_leaks:
        later: set[tuple[str, str]] = set()
        for section in reversed([section for section in SECTIONS if section in data]):
            data[section] = [item for item in data[section] if not later & _owners(item)]
            later |= {owner for item in data[section] for owner in _owners(item)}
    return data


def _owners(item: Mapping[str, Any]) -> set[tuple[str, str]]:
    return {(key, str(item[key])) for key in ("patient", "group") if item.get(key) is not None}


def _renamed(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {k: f"{name}:{v}" if name and k in ("patient", "group") else v for k, v in item.items()}
