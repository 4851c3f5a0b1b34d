"""Overlays in the pixels that nothing declares, and pictures that only look as if they had some."""

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.overlay_bits import without_overlays
from cxr_common.data.scan import RadiographWarning
from tests.image_files import JPEG_2000_LOSSLESS, grey_picture, read_image, stored_grey, write_dicom

GREY = stored_grey(12)
LINES = np.zeros(GREY.shape, bool)
LINES[20:40, 10:70:4] = LINES[45, 5:80] = True
NOISE = np.random.default_rng(0).normal(0, 60, GREY.shape)


def overlaid(picture, *bits):
    for place, bit in enumerate(bits):
        picture = picture | (np.roll(LINES, place, 0).astype("uint16") << bit)
    return picture


@pytest.mark.parametrize("bits", [(12,), (15,), (13, 15), (12, 13, 14)])
@pytest.mark.parametrize("noise", [0, 1])
def test_what_lies_above_the_image_is_taken_out(bits, noise):
    picture = (GREY + noise * NOISE).clip(0, 4095).astype("uint16")
    with pytest.warns(RadiographWarning, match="not declared"):
        found, depth = without_overlays(overlaid(picture, *bits))
    assert depth == 12
    np.testing.assert_array_equal(found, picture)


def with_text(picture, value):
    picture = picture.copy()
    picture[LINES] = value
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        GREY,
        stored_grey(16),
        stored_grey(16) // 2,
        (GREY + NOISE).clip(0, 4095).astype("uint16"),
        np.random.default_rng(1).integers(0, 1 << 16, GREY.shape).astype("uint16"),
        with_text(GREY, 65535),
        with_text(GREY, 4096),
        with_text(stored_grey(15), 65535),
        LINES.astype("uint16") << 12,
        np.full(GREY.shape, 4096, "uint16"),
        GREY | 4096,
        (np.indices(GREY.shape).sum(0) % 2 * 4096).astype("uint16"),
    ],
)
def test_a_picture_keeps_its_own_bits(picture):
    found, depth = without_overlays(picture)
    assert depth is None
    np.testing.assert_array_equal(found, picture)


@pytest.mark.parametrize("syntax", [None, JPEG_2000_LOSSLESS])
def test_dicom_of_sixteen_bits_stored(tmp_path, syntax):
    image, meta = read_image(write_dicom(tmp_path / "a.dcm", overlaid(GREY, 12), *filter(None, [syntax])))
    np.testing.assert_allclose(image.T, grey_picture(), atol=1e-3)
    assert "lies in bit 12: 12 bits are image" in meta["warnings"]


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_other_files(tmp_path, suffix):
    Image.fromarray(overlaid(GREY, 14)).save(tmp_path / f"a{suffix}")
    image, meta = read_image(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(image.T, grey_picture(), atol=1e-3)
    assert "lies in bit 14" in meta["warnings"]
