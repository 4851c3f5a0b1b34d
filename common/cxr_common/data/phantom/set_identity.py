"""What tells a set of phantoms from another on any processor."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TypedDict

import numpy as np
from PIL import Image

from cxr_common.data.datalist_schema import Item


class Identity(TypedDict):
    """Hash of names, labels and boxes; mean and deviation of all grey values in [0, 1]."""

    sha256: str
    mean: float
    deviation: float


def identity(items: list[Item]) -> Identity:
    """What tells a set of phantoms from another on any processor.

    A hash of pixels does not: instructions differ in the last bit of exponentials, so that one grey level in millions
    is rounded to its neighbour.

    Args:
        items: datalist items with absolute paths, images of 8 bits.
    """
    known = [[Path(i["image"]).name, i["label"], i["boxes"], i["box_labels"]] for i in items]
    moments = np.zeros(3)
    for item in items:
        with Image.open(item["image"]) as picture:
            grey = np.asarray(picture, dtype=np.float64) / 255
        moments += (grey.size, grey.sum(), np.square(grey).sum())
    mean = moments[1] / moments[0]
    return {
        "sha256": hashlib.sha256(json.dumps(known).encode()).hexdigest(),
        "mean": round(float(mean), 6),
        "deviation": round(float(np.sqrt(moments[2] / moments[0] - mean**2)), 6),
    }
