"""The one rule of the grey range, on pictures whose true depth is known by construction."""

import warnings

import numpy as np
import pytest

from cxr_common.data.grey_levels import levels_of
from cxr_common.data.grey_range import ABSURD_SHARE, believed_range
from cxr_common.data.scan import RadiographWarning

UNSIGNED, SIGNED = (0, 65535), (-32768, 32767)


def ramp(low: int, high: int, dtype: str = "int32") -> np.ndarray:
    """A picture of 100 x 100 pixels whose values go evenly from low to high."""
    return np.linspace(low, high, 10_000).round().astype(dtype).reshape(100, 100)


def believed(pixels: np.ndarray, low: float, high: float, padding: np.ndarray | None = None) -> tuple:
    """Range and rule; a guess has to leave a warning, a declared range none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = believed_range(levels_of(pixels, padding), low, high)
    assert bool(caught) == bool(found.rule) and all(w.category is RadiographWarning for w in caught)
    return tuple(found)


@pytest.mark.parametrize("bits", range(8, 16))
@pytest.mark.parametrize("declared", [UNSIGNED, SIGNED])
def test_a_depth_used_to_its_end_is_the_range(bits, declared):
    assert believed(ramp(0, 2**bits - 1), *declared) == (0, 2**bits - 1, "used depth")


@pytest.mark.parametrize("bits", range(8, 16))
def test_a_signed_depth_used_to_its_ends_is_the_range(bits):
    half = 1 << (bits - 1)
    assert believed(ramp(-half, half - 1), *SIGNED) == (-half, half - 1, "used depth")


@pytest.mark.parametrize(("low", "high"), [UNSIGNED, SIGNED, (0, 4095), (0, 255), (0, 2**32 - 1)])
def test_a_range_that_is_used_is_believed(low, high):
    assert believed(ramp(low, high, "int64"), low, high) == (low, high, "")


@pytest.mark.parametrize("declared", [UNSIGNED, (0, 4095)])
def test_an_underexposed_picture_is_not_stretched(declared):
    assert believed(ramp(0, int(0.13 * declared[1])), *declared) == (*declared, "")
    assert 0.12 < ABSURD_SHARE < 0.13
    assert believed(ramp(0, int(0.12 * declared[1])), *declared)[2] == "used depth"


def test_eight_bits_are_always_believed():
    assert believed(ramp(0, 5), 0, 255) == (0, 255, "")
    assert believed(ramp(0, 63), 0, 127) == (0, 127, "")


def test_fewer_than_eight_bits_are_not_guessed():
    assert believed(ramp(0, 200), 0, 4095) == (0, 255, "used depth")
    assert believed(ramp(0, 20), *UNSIGNED) == (0, 255, "percentile")  # 0.5 and 99.5 %: 0 and 20, then widened


def test_a_picture_far_from_zero_is_scaled_by_its_percentiles():
    low, high, rule = believed(ramp(30000, 34000), *UNSIGNED)
    assert rule == "percentile" and (low, high) == pytest.approx((30020, 33980), abs=10)


def test_a_few_negative_values_do_not_make_a_signed_depth():
    pixels = ramp(0, 4095)
    pixels[:1] -= 50
    low, high, rule = believed(pixels, *SIGNED)
    assert rule == "percentile" and -50 <= low < 0 and 4000 < high < 4095


@pytest.mark.parametrize("value", [65535, 60000])
@pytest.mark.parametrize("where", [np.s_[50, 50], np.s_[:3], np.s_[:40]], ids=["one pixel", "rows", "much"])
def test_strays_and_frames_of_one_value_do_not_count(value, where):
    pixels = ramp(0, 4095)[::-1].copy()
    pixels[where] = value
    assert believed(pixels, *UNSIGNED) == (0, 4095, "used depth")


def test_a_frame_of_zeros_does_not_count():
    pixels = ramp(30000, 34000)
    pixels[:2] = pixels[:, -2:] = 0
    assert believed(pixels, *UNSIGNED)[0] > 30000


def test_a_stray_pixel_between_frame_and_picture_does_not_hide_the_frame():
    pixels = ramp(30000, 34000)
    pixels[:2], pixels[50, 50] = 0, 9000
    assert believed(pixels, *UNSIGNED)[0] > 30000


def test_padding_does_not_count():
    pixels = ramp(0, 4095)
    pixels[:30] = np.arange(3000).reshape(30, 100) * 20
    padding = np.zeros(pixels.shape, bool)
    padding[:30] = True
    assert believed(pixels, *UNSIGNED)[2] == ""
    assert believed(pixels, *UNSIGNED, padding) == (0, 4095, "used depth")


def test_all_padding_is_counted_after_all():
    assert believed(ramp(0, 4095), *UNSIGNED, np.ones((100, 100), bool)) == (0, 4095, "used depth")


def test_of_few_values_all_count():
    pixels = np.zeros((100, 100), int)
    pixels[0, 0], pixels[:50] = 65535, 16383
    assert believed(pixels, *UNSIGNED) == (*UNSIGNED, "")


def test_a_value_that_nearly_all_pixels_have_leaves_the_rest():
    pixels = np.zeros((100, 100), int)
    pixels[7, 7] = 3
    low, high, _ = believed(pixels, *SIGNED)
    assert low == 0 < high  # a mask's one pixel stays inside


def test_a_uniform_picture_says_nothing_and_is_no_guess():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert believed_range(levels_of(np.full((9, 9), 7)), *SIGNED)[:2] == (0, 255)
