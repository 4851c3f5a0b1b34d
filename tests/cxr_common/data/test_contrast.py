"""When a scale, or the picture that came of it, is warned of."""

import re
import warnings

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.contrast import fault_of_scale, warn_of_contrast
from cxr_common.data.grey_levels import levels_of
from tests.image_files import read_image, write_dicom


def texts(pixels: np.ndarray, padding: np.ndarray | None = None) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_contrast(pixels, padding)
    return " / ".join(str(w.message) for w in caught)


def ramp(low: float, high: float, side: int = 100) -> np.ndarray:
    return np.linspace(low, high, side * side, dtype=np.float32).reshape(side, side)


@pytest.mark.parametrize(
    ("low", "high", "warned"), [(0, 1, False), (0, 0.13, False), (0, 0.12, True), (0.5, 0.6, True), (0.4, 0.6, False)]
)
def test_under_an_eighth_of_the_scale(low, high, warned):
    assert ("of the grey scale" in texts(ramp(low, high))) is warned


@pytest.mark.parametrize("side", [100, 2000])  # of the larger one a sample is looked at
@pytest.mark.parametrize(("low", "high", "warned"), [(-9.6, 9.4, False), (-9.6, 9.5, False), (-10, 11, True)])
def test_black_or_white(side, low, high, warned):
    # Of values from -9.6 to 9.4, 1 / 19 are within the scale, and a little more at 8 bits.
    assert ("is black or white" in texts(np.clip(ramp(low, high, side), 0, 1))) is warned


def test_a_frame_hides_no_low_contrast():
    pixels = ramp(0.5, 0.55)
    pixels[:3] = pixels[-3:] = 0
    assert re.search(r"the image uses 4\.\d% of the grey scale", texts(pixels))


def test_padding_does_not_count():
    pixels = ramp(0.1, 0.9)
    pixels[3:] = 0
    padding = np.zeros(pixels.shape, bool)
    padding[3:] = True
    assert "is black or white" in texts(pixels) and texts(pixels, padding) == "the image uses 2.4% of the grey scale"


def test_colour_and_uniform_pictures():
    assert texts(np.repeat(ramp(0, 1)[..., None], 3, axis=-1)) == ""
    assert texts(np.full((9, 9), 0.3)) == "all pixels have the same value"


def test_windows():
    levels = levels_of(np.arange(4096).reshape(64, 64))
    v = levels.values / 4095
    assert fault_of_scale(v, levels) == ""
    assert fault_of_scale(np.clip(v * 100, 0, 1), levels) == "makes 99% of this image black or white"
    assert fault_of_scale(v / 10, levels).startswith("leaves 10.0% of the grey scale")
    stray = np.append(v[:-1] / 16, 1)  # a table whose last entry is far from the others
    assert fault_of_scale(stray, levels).startswith("leaves 6.2%")
    assert fault_of_scale(np.ones(4096), levels) == "shows nothing of this image"
    two = levels_of(np.array([[0, 1]]))  # of few values, any that can be told apart will do
    assert fault_of_scale(np.array([0.0, 1.0]), two) == "" and fault_of_scale(np.array([1.0, 1.0]), two)


@pytest.mark.parametrize("suffix", ["png", "tif", "dcm"])
def test_every_format_warns(tmp_path, suffix):
    pixels = np.tile(np.arange(20, dtype=np.uint8), (20, 1))
    path = tmp_path / f"i.{suffix}"
    if suffix == "dcm":
        write_dicom(path, pixels)
    else:
        Image.fromarray(pixels).save(path)
    image, meta = read_image(path)
    assert image.max() == pytest.approx(19 / 255)
    assert "the image uses 7.4% of the grey scale" in meta["warnings"]
