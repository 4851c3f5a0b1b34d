"""Float Pixel Data."""

import numpy as np
import pytest

from cxr_common.errors import InputError
from tests.image_files import BIG_ENDIAN, EXPLICIT, dicom_dataset, grey_picture, read_image, save_dicom, stored_grey

GREY = grey_picture()


def write(path, values, keyword="FloatPixelData", syntax=EXPLICIT, **elements):
    kind = ("f4" if keyword == "FloatPixelData" else "f8", ">" if syntax == BIG_ENDIAN else "<")
    dataset = dicom_dataset(None, syntax, **elements)
    dataset.Rows, dataset.Columns = GREY.shape
    dataset.SamplesPerPixel, dataset.BitsAllocated = 1, 8 * np.dtype(kind[0]).itemsize
    dataset.PhotometricInterpretation = elements.get("PhotometricInterpretation", "MONOCHROME2")
    setattr(dataset, keyword, values.astype(kind[1] + kind[0]).tobytes())
    return save_dicom(path, dataset)


@pytest.mark.parametrize("keyword", ["FloatPixelData", "DoubleFloatPixelData"])
@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN])
def test_percentiles_are_the_range(tmp_path, keyword, syntax):
    image, meta = read_image(write(tmp_path / "a.dcm", 300 * GREY - 7, keyword, syntax))
    low, high = np.percentile(GREY, (0.5, 99.5))
    np.testing.assert_allclose(image.T, np.clip((GREY - low) / (high - low), 0, 1), atol=1e-5)
    assert meta["intensity_source"] == "percentile"
    assert meta["intensity_low"] == pytest.approx(300 * low - 7, abs=1e-3)


def test_polarity(tmp_path):
    one = read_image(write(tmp_path / "a.dcm", -GREY, PhotometricInterpretation="MONOCHROME1"))[0]
    two = read_image(write(tmp_path / "b.dcm", GREY))[0]
    np.testing.assert_allclose(one, two, atol=1e-5)


def test_a_negative_slope_turns_the_picture_round(tmp_path):
    one = read_image(write(tmp_path / "a.dcm", -GREY, RescaleSlope=-2, RescaleIntercept=1))[0]
    two = read_image(write(tmp_path / "b.dcm", GREY))[0]
    np.testing.assert_allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_what_is_not_finite_is_black(tmp_path, photometric):
    values = np.where(np.arange(len(GREY))[:, None] < 9, np.nan, GREY)
    image, meta = read_image(write(tmp_path / "a.dcm", values, PhotometricInterpretation=photometric))
    assert not image[:, :9].any() and image[:, 9:].any()
    assert "are NaN or infinite, read as 0" in meta["warnings"]


@pytest.mark.parametrize(
    ("values", "elements", "said"),
    [
        (np.full_like(GREY, np.nan), {}, "NaN"),
        (GREY[:-1], {}, "cut off"),
        (GREY, {"PhotometricInterpretation": "RGB"}, "PhotometricInterpretation of the FloatPixelData is RGB"),
    ],
)
def test_what_cannot_be_shown(tmp_path, values, elements, said):
    with pytest.raises(InputError, match=said):
        read_image(write(tmp_path / "a.dcm", values, **elements))


def test_neither_kind_of_pixels(tmp_path):
    with pytest.raises(InputError, match="no pixel data"):
        read_image(save_dicom(tmp_path / "a.dcm", dicom_dataset(stored_grey(12), PixelData=b"")))
