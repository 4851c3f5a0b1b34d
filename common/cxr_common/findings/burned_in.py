"""The radiograph with its findings and a warning drawn in, and nothing that says whose it is."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from cxr_common.axes import tensor_to_picture
from cxr_common.findings.annotate import annotate
from cxr_common.findings.case import Case
from cxr_common.findings.fonts import font
from cxr_common.findings.overlay import NOTICE

#: Longest side in pixels: room for names on a small image, and no larger than a screen.
SIDE = 1600


def burned_in(case: Case) -> np.ndarray:
    """Draw the findings of a case.

    Args:
        case: the case; neither its name nor its path is shown.

    Returns:
        uint8 (rows, columns, 3), upright, the whole image and no more, its longest side :data:`SIDE`.
    """
    scale = SIDE / max(case.size)
    shown = (max(round(case.size[0] * scale), 1), max(round(case.size[1] * scale), 1))
    picture = Image.fromarray(np.ascontiguousarray(tensor_to_picture(case.grey))).resize(
        shown, Image.Resampling.LANCZOS
    )
    findings = [finding.model_dump(exclude_unset=True) for finding in case.findings]
    drawn = annotate(picture, findings, case.heatmap, case.masks, case.size)
    words, draw = f"{NOTICE} - {case.model.name} {case.model.version}", ImageDraw.Draw(drawn)
    face = font(max(min(shown[0] // 45, 26), 8))
    draw.text((8, shown[1] - 8), words, (255, 200, 87), face, anchor="lb", stroke_width=2, stroke_fill=(0, 0, 0))
    return np.asarray(drawn)
