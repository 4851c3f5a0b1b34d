"""Scaling rules of files without a display rule."""

import numpy as np
import pytest

from cxr_common.data.intensity import grey_or_colour, scale_by_percentiles, scale_by_range
from cxr_common.data.scan import RadiographWarning
from cxr_common.errors import InputError


def test_range_is_clipped():
    assert scale_by_range(np.array([-5, 0, 5, 10, 20]), 0, 10).tolist() == [0, 0, 0.5, 1, 1]
    assert scale_by_range(np.array([1.0, 2.0]), 3, 3).tolist() == [0, 0]


def test_values_beyond_the_precision_of_float32():
    high = 1 << 30
    scaled = scale_by_range(np.array([high, high + 1, high + 4], "int64"), high, high + 4)
    assert scaled.tolist() == [0, 0.25, 1]


def test_percentiles_leave_out_what_is_not_finite():
    values = np.append(np.arange(101.0), [np.nan, np.inf, -np.inf])
    with pytest.warns(RadiographWarning, match="2.88% of the pixels"):
        scaled, low, high = scale_by_percentiles(values, "f")
    assert (low, high) == (0.5, 99.5)  # of 0..100
    assert scaled[50] == pytest.approx(0.5) and scaled[101:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("value", [-1000.0, 1e30])
def test_a_value_apart_from_all_others_is_no_end(value):
    values = np.append(np.arange(101.0), np.full(40, value))  # padding without its tag
    scaled, low, high = scale_by_percentiles(values, "f")
    assert (low, high) == (0.5, 99.5)
    assert scaled[101:].tolist() == [float(value > 0)] * 40


def test_few_deviating_pixels_are_not_clipped_away():
    values = np.zeros(1000)
    values[7] = 3
    scaled, low, high = scale_by_percentiles(values, "f")
    assert (low, high, scaled[7], scaled[0]) == (0, 3, 1, 0)


def test_half_missing_is_too_much():
    values = np.arange(10.0)
    values[:5] = np.nan
    with pytest.warns(RadiographWarning, match="50.00% of the pixels"):
        scale_by_percentiles(values, "f")
    values[:6] = np.inf
    with pytest.raises(InputError, match="60% of the pixels are NaN"):
        scale_by_percentiles(values, "f")


def test_grey_is_kept_exactly():
    grey = np.random.default_rng(0).random((5, 6), np.float32)
    assert (grey_or_colour(np.repeat(grey[..., None], 3, -1), 1, "f") == grey).all()


def test_chroma_rounding_is_grey_and_luma_is_taken():
    rgb = np.full((10, 10, 3), 100 / 255, np.float32)
    rgb[..., 2] += 3 / 255
    assert grey_or_colour(rgb, 1, "f")[0, 0] == pytest.approx((100 + 0.114 * 3) / 255)
