"""Masks and boxes of findings from the masks of their lesions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from cxr_common.data.phantom.simulators import Mask

#: Finding, x0, y0, x1, y1: half-open pixels, x over columns.
Box = tuple[str, int, int, int, int]


def outline(lesions: Mapping[str, list[Mask]]) -> tuple[dict[str, Mask], list[Box]]:
    """Union mask of each finding, and one box a lesion; lesions that merge share a box.

    Args:
        lesions: finding -> masks of its lesions, bool [row, column], all of one shape.

    Returns:
        Masks of the findings that hold any pixel, and their boxes. Opacity is the umbrella over Consolidation: it has
        the same mask and the same boxes.
    """
    masks: dict[str, Mask] = {}
    boxes: list[Box] = []
    for name, parts in lesions.items():
        union = np.any(parts, axis=0)
        if not union.any():
            continue
        masks[name] = union
        boxes += [(name, *box) for box in _boxes(parts, union)]
    if "Consolidation" in masks:
        masks["Opacity"] = masks["Consolidation"]
        boxes += [("Opacity", *box[1:]) for box in boxes if box[0] == "Consolidation"]
    return masks, boxes


def _boxes(groups: list[Mask], union: Mask) -> list[tuple[int, int, int, int]]:
    """Half-open boxes of the groups that hold any pixel; groups that touch become one."""
    numbered, _ = ndimage.label(union, structure=np.ones((3, 3)))
    merged: list[set[int]] = []
    for group in groups:
        touched = set(np.unique(numbered[group])) - {0}
        if not touched:
            continue
        for other in [m for m in merged if m & touched]:
            merged.remove(other)
            touched |= other
        merged.append(touched)
    out = []
    for parts in merged:
        rows, columns = np.nonzero(np.isin(numbered, list(parts)))
        out.append((int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1))
    return out
