"""One datalist from several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cxr_common.data.datalist import rebase_paths, select_labels
from cxr_common.data.datalist_io import read_datalist
from cxr_common.data.datalist_schema import SECTIONS


def merge_datalists(
    paths: Sequence[Path], roots: Sequence[Path], output_root: Path, labels: Sequence[str] | None = None
) -> dict[str, Any]:
    """Join datalists, section by section.

    Args:
        paths: the datalists.
        roots: data set root of each.
        output_root: data set root of the result; paths are rewritten relative to it.
        labels: labels of the result; None: all labels of the sources, in the order they first occur. A label that a
            source lacks is null (not annotated) there.

    Returns:
        The merged datalist. Patients and groups of different sources must not share a name, else the result is
        refused where they meet in two splits.

    Raises:
        InputError: a datalist is unsound or shares no label with ``labels``.
    """
    sources = [read_datalist(path) for path in paths]
    names = list(labels or dict.fromkeys(name for source in sources for name in source["labels"]))
    data: dict[str, Any] = {"labels": names, **{section: [] for section in SECTIONS}}
    for path, root, source in zip(paths, roots, sources, strict=True):
        shift = Path(os.path.relpath(root, output_root)).as_posix()

        def rebase(file: str, shift: str = shift) -> str:
            return os.path.normpath(f"{shift}/{file}")

        for section in SECTIONS:
            items = source.get(section, [])
            if items:
                data[section] += [rebase_paths(i, rebase) for i in select_labels(items, source["labels"], names, path)]
    return data
