"""Areas of masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np


class Area(TypedDict):
    """The area of a mask in pixels and in mm^2, None where the spacing is unknown."""

    area_px: int
    area_mm2: float | None


def mask_area(mask: np.ndarray | None, spacing: Sequence[float] | None) -> Area:
    """What the findings record says about a mask's area.

    Args:
        mask: bool (width, height) in original pixels; None is an empty one.
        spacing: (column mm, row mm), None where unknown. It holds in the plane that it was calibrated for, most often
            the detector's, where everything is a little larger than in the patient.

    Example:
        >>> mask_area(np.ones((10, 20), bool), spacing=(0.5, 0.5))
        {'area_px': 200, 'area_mm2': 50.0}
    """
    pixels = 0 if mask is None else int(np.count_nonzero(mask))
    return {"area_px": pixels, "area_mm2": None if spacing is None else round(pixels * spacing[0] * spacing[1], 2)}


def area_text(finding: Mapping[str, Any]) -> str:
    """The area of a finding for people: cm2, pixels where the spacing is unknown, "" where nothing was measured.

    Example:
        >>> area_text({"area_px": 4000, "area_mm2": 1000.0}), area_text({"area_px": 4000, "area_mm2": None})
        ('10.0 cm2', '4,000 px')
    """
    if "area_px" not in finding:
        return ""
    area = finding["area_mm2"]
    return f"{finding['area_px']:,} px" if area is None else f"{area / 100:.1f} cm2"
