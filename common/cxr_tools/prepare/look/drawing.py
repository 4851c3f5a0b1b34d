"""An image of a datalist with its boxes and masks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.annotate import annotate
from cxr_tools.prepare.look.fingerprint import read_any_view

#: Longest side of a picture on the page, in pixels.
_SHOWN = 300


def drawn_picture(
    path: Path, item: Mapping[str, Any], labels: list[str], masks: Mapping[str, np.ndarray]
) -> Image.Image:
    """The image with its boxes and masks, at the size it has on the page.

    Args:
        path: the image file.
        item: its datalist item.
        labels: class names.
        masks: class -> bool (width, height).

    Raises:
        InputError: the image cannot be read.
    """
    picture = read_any_view(path)
    scale = _SHOWN / max(picture.shape)
    shown = (max(round(picture.shape[0] * scale), 1), max(round(picture.shape[1] * scale), 1))
    grey = Image.fromarray((tensor_to_picture(picture) * 255).round().astype(np.uint8))
    found = list(zip(item.get("boxes", []), item.get("box_labels", []), strict=True))
    findings = []
    for index, label in enumerate(labels):
        boxes = [{"box": box, "score": None} for box, of in found if of == index]
        shown_at_all = bool(boxes) or label in masks
        findings.append({"label": label, "probability": 1.0, "decision": shown_at_all, "boxes": boxes})
    return annotate(grey.resize(shown, Image.Resampling.LANCZOS), findings, None, masks, picture.shape)
