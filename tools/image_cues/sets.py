"""What sets of images differ in: the machines that made them, and how bright they are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from tools.image_cues.features import SPACING, Entry


def machines(widths: Sequence[float], sets: Mapping[str, Sequence[Entry]]) -> dict[str, dict[str, Any]]:
    """Which machines made the pictures.

    Args:
        widths: of a detector's pixel in mm; a machine counts to the nearest, which is exact for all but 79 of NIH's.
        sets: name -> rows of NIH's table.

    Returns:
        Set -> number of "images", and the "shares" of every width.
    """
    return {name: {"images": len(rows), "shares": _shares(widths, rows)} for name, rows in sets.items()}


def _shares(widths: Sequence[float], rows: Sequence[Entry]) -> dict[str, float]:
    counts = Counter(min(widths, key=lambda width: abs(float(row[SPACING]) - width)) for row in rows)
    return {str(width): counts[width] / len(rows) for width in widths}


def tones(sets: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """How bright pictures are: set -> view -> number of "images" and the "median" of their mean grey values.

    Args:
        sets: name -> datalist items with absolute paths.
    """
    out: dict[str, dict[str, Any]] = {}
    for name, items in sets.items():
        views: defaultdict[str, list[float]] = defaultdict(list)
        for item in items:
            with Image.open(item["image"]) as file:
                views[item["view"]].append(float(np.asarray(file.convert("L")).mean()))
        if views:
            out[name] = {v: {"images": len(m), "median": float(np.median(m))} for v, m in sorted(views.items())}
    return out
