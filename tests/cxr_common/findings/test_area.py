from __future__ import annotations

import numpy as np
import pytest

from cxr_common.findings.area import area_text, mask_area


def test_area_is_pixels_times_the_size_of_one():
    mask = np.zeros((30, 20), bool)
    mask[:10, :5] = True
    assert mask_area(mask, (0.5, 0.2)) == {"area_px": 50, "area_mm2": pytest.approx(5.0)}
    assert mask_area(mask, None) == {"area_px": 50, "area_mm2": None}
    assert mask_area(None, (0.5, 0.2)) == {"area_px": 0, "area_mm2": 0}


def test_text_is_in_cm2_where_the_spacing_is_known():
    assert area_text({"area_px": 12345, "area_mm2": 1234.5}) == "12.3 cm2"
    assert area_text({"area_px": 12345, "area_mm2": None}) == "12,345 px"
    assert area_text({}) == ""
