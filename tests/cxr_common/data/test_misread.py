"""Wrong byte orders and signs are told from pictures that only look a little like them."""

import warnings

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageDraw

from cxr_common.data.misread import in_byte_order, with_sign
from cxr_common.data.scan import RadiographWarning
from tests.image_files import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    dicom_dataset,
    grey_picture,
    read_image,
    save_dicom,
    stored_grey,
    write_nifti,
)

TWELVE = stored_grey(12)
SIGNED_TWELVE = (TWELVE.astype(int) - 2048).astype("int16")


def assert_shown(path, said):
    image, meta = read_image(path)
    assert np.abs(image.T - grey_picture()).max() < 0.002
    assert said in meta["warnings"]


@pytest.mark.parametrize(
    "syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, RLE, JPEG_2000_LOSSLESS, JPEG_LS, JPEG_LOSSLESS]
)
@pytest.mark.parametrize("bits", [12, 16])
def test_unsigned_pixels_that_are_declared_as_signed(tmp_path, syntax, bits):
    dataset = dicom_dataset(stored_grey(bits), syntax, BitsStored=bits)
    dataset.PixelRepresentation = 1
    assert_shown(save_dicom(tmp_path / "a.dcm", dataset), "declared as signed and wrap round: taken as unsigned")


@pytest.mark.parametrize("syntax", [EXPLICIT, BIG_ENDIAN, RLE])
@pytest.mark.parametrize("stored", [12, 16])
def test_signed_pixels_that_are_declared_as_unsigned(tmp_path, syntax, stored):
    dataset = dicom_dataset(SIGNED_TWELVE, syntax, BitsStored=stored)
    dataset.PixelRepresentation = 0
    assert_shown(save_dicom(tmp_path / "a.dcm", dataset), "declared as unsigned and wrap round: taken as signed")


def test_a_signed_codestream_of_unsigned_tags(tmp_path):
    dataset = dicom_dataset(SIGNED_TWELVE, JPEG_2000_LOSSLESS, BitsStored=12)
    dataset.PixelRepresentation = 0
    assert_shown(save_dicom(tmp_path / "a.dcm", dataset), "taken as signed")


def test_files_of_the_wrong_sign(tmp_path):
    wrapped = stored_grey(16).view("int16")
    tifffile.imwrite(tmp_path / "a.tif", wrapped)
    assert_shown(tmp_path / "a.tif", "taken as unsigned")
    assert_shown(write_nifti(tmp_path / "a.nii", wrapped.T.copy(), np.diag([-0.2, -0.2, 1, 1])), "taken as unsigned")


@pytest.mark.parametrize("bits", [12, 16])
def test_bytes_in_the_other_order(tmp_path, bits):
    exchanged = stored_grey(bits).byteswap()
    dataset = dicom_dataset(exchanged, EXPLICIT)
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    assert_shown(save_dicom(tmp_path / "a.dcm", dataset), "bytes of the pixels are in the other order")
    tifffile.imwrite(tmp_path / "a.tif", exchanged)
    assert_shown(tmp_path / "a.tif", "bytes of the pixels are in the other order")


def label():
    """A dark picture with a white label whose edges are soft and whose values are noisy."""
    image = Image.new("L", (200, 150), 6)
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, 90, 80), 250)
    draw.text((100, 60), "R 12:30", 250)
    noise = np.random.default_rng(0).integers(-5, 6, (150, 200))
    return np.asarray(image, int) + noise


def mask():
    y, x = np.mgrid[:150, :200]
    return np.clip(128 + 60 * (50 - np.hypot(x - 100, y - 75)), 0, 255).astype(int)


HONEST = [
    (np.random.default_rng(1).integers(0, 4096, (80, 80)), 12),
    (label(), 8),
    (label() * 16, 12),
    (mask(), 8),
    (TWELVE.astype(int), 12),
    (TWELVE.astype(int) // 4, 12),
    (np.full((20, 20), 7), 12),
    (np.arange(6).reshape(6, 1), 12),
]


@pytest.mark.parametrize(("picture", "bits"), HONEST)
def test_honest_pictures_are_left_alone(picture, bits):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RadiographWarning)
        assert with_sign(picture.astype("uint16"), bits, False) == (pytest.approx(picture), False)
        np.testing.assert_array_equal(in_byte_order(picture.astype("uint16")), picture)
        top = 1 << (bits - 1)
        assert with_sign((picture - top).astype("int16"), bits, True)[1]


@pytest.mark.parametrize("dtype", ["int16", "uint32", "int32", "float32", "float64"])
def test_wide_values_in_the_other_order(tmp_path, dtype):
    picture = (grey_picture() * 4000).astype(dtype)
    with pytest.warns(RadiographWarning, match="bytes of the pixels are in the other order"):
        np.testing.assert_array_equal(in_byte_order(picture.byteswap()), picture)
    right, _ = read_image(write_nifti(tmp_path / "a.nii", picture.T, None))
    image, meta = read_image(write_nifti(tmp_path / "b.nii", picture.byteswap().T, None))
    np.testing.assert_allclose(image, right, atol=1e-6)
    assert "other order" in meta["warnings"]


@pytest.mark.parametrize("dtype", ["uint32", "int32", "float32", "float64"])
@pytest.mark.parametrize("odd", [0, np.nan, np.inf, 1e30])
def test_honest_wide_values_are_left_alone(dtype, odd):
    picture = grey_picture() * 4000
    if np.dtype(dtype).kind == "f":
        picture[5:9, 5:9] = odd
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(in_byte_order(picture.astype(dtype)), picture.astype(dtype))
