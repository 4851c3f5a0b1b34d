"""DICOM headers that are valid and do not fit their pixels: the picture shows what was meant, and a warning says so."""

from pathlib import Path

import numpy as np
import pytest

from cxr_common.errors import InputError
from tests.image_files import (
    EXPLICIT,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    JPEG_LS,
    RLE,
    dicom_dataset,
    grey_picture,
    lut_item,
    read_image,
    save_dicom,
    stored_grey,
    write_dicom,
)

GREY = grey_picture()


def read(tmp_path: Path, pixels: np.ndarray, syntax: str = EXPLICIT, **elements) -> tuple[np.ndarray, dict]:
    """The picture (rows, columns) and its metadata."""
    image, meta = read_image(write_dicom(tmp_path / "i.dcm", pixels, syntax, **elements))
    return image.T, meta


def same(found: np.ndarray, expected: np.ndarray, tolerance: float = 0.003) -> None:
    np.testing.assert_allclose(found, expected, atol=tolerance)


def modality_item(entries: np.ndarray, bits: int = 16):
    item = lut_item(entries, 0, bits, count=len(entries) % (1 << 16))
    item.ModalityLUTType = "US"
    return item


class TestTables:
    @pytest.mark.parametrize("bits", [8, 10, 12, 14])
    def test_voi_lut_that_declares_more_bits_than_it_has(self, tmp_path, bits):
        item = lut_item(np.arange(1 << bits), 0, 16)
        found, meta = read(tmp_path, stored_grey(bits), BitsStored=bits, VOILUTSequence=[item])
        same(found, GREY)
        assert f"VOILUTSequence declares 16 bits, its largest entry is {2**bits - 1}" in meta["warnings"]
        assert meta["intensity_source"] == "voi lut"

    @pytest.mark.parametrize("bits", [8, 10, 12, 14])
    def test_modality_lut_that_declares_more_bits_than_it_has(self, tmp_path, bits):
        item = modality_item(np.arange(1 << bits))
        found, meta = read(tmp_path, stored_grey(bits), BitsStored=bits, ModalityLUTSequence=[item])
        same(found, GREY)
        assert "ModalityLUTSequence declares 16 bits" in meta["warnings"]

    @pytest.mark.parametrize("bits", [10, 12, 14])
    @pytest.mark.parametrize("sequence", ["VOILUTSequence", "ModalityLUTSequence"])
    def test_table_of_all_sixteen_bits_over_fewer(self, tmp_path, bits, sequence):
        found, meta = read(tmp_path, stored_grey(bits), **{sequence: [modality_item(np.arange(1 << 16))]})
        same(found, GREY)
        assert "of the declared range" in meta["warnings"]

    def test_a_table_that_uses_its_bits_is_believed(self, tmp_path):
        entries = np.linspace(0, 40000, 4096).astype(int)  # 16 bits, though the last value is not reached
        found, meta = read(tmp_path, stored_grey(12), BitsStored=12, VOILUTSequence=[lut_item(entries, 0, 16)])
        same(found, GREY * 40000 / 65535)
        assert meta["warnings"] == ""


class TestBitsStored:
    @pytest.mark.parametrize("bits", [8, 10, 12, 13, 14, 15])
    @pytest.mark.parametrize("dtype", ["uint16", "int16"])
    @pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
    def test_fewer_bits_used_than_stored(self, tmp_path, bits, dtype, photometric):
        found, meta = read(tmp_path, stored_grey(bits, dtype), PhotometricInterpretation=photometric)
        same(found, 1 - GREY if photometric[-1] == "1" else GREY)
        assert "of the declared range" in meta["warnings"] and meta["intensity_source"] == "used depth"

    @pytest.mark.parametrize("elements", [{"RescaleSlope": 2.5, "RescaleIntercept": -1000}, {"RescaleIntercept": 7}])
    def test_after_the_rescale(self, tmp_path, elements):
        found, meta = read(tmp_path, stored_grey(12), **elements)
        same(found, GREY)
        assert meta["intensity_low"] == elements["RescaleIntercept"]

    @pytest.mark.parametrize("padding", [0, 2000, 65535])
    def test_padding_does_not_count(self, tmp_path, padding):
        pixels = stored_grey(12)
        pixels[:20] = padding
        found, _ = read(tmp_path, pixels, PixelPaddingValue=padding)
        same(found, np.where(pixels == padding, 0, GREY))

    @pytest.mark.parametrize("value", [0, 65535])
    def test_a_frame_and_a_stray_pixel_do_not_count(self, tmp_path, value):
        pixels = stored_grey(12)
        pixels[:3] = pixels[-3:] = pixels[:, :3] = value
        pixels[30, 40] = 65535
        found, _ = read(tmp_path, pixels)
        same(found, np.where(pixels == 65535, 1, pixels / 4095))

    @pytest.mark.parametrize("share", [0.5, 0.2, 0.13])
    @pytest.mark.parametrize("bits", [8, 12, 16])
    def test_an_underexposed_picture_stays_dark(self, tmp_path, share, bits):
        pixels = np.round(GREY * share * ((1 << bits) - 1)).astype("uint8" if bits == 8 else "uint16")
        found, meta = read(tmp_path, pixels, BitsStored=bits)
        same(found, GREY * share)
        assert meta["warnings"] == "" and meta["intensity_source"] == "bits stored"

    def test_colour(self, tmp_path):
        found, meta = read(tmp_path, np.repeat(stored_grey(12)[..., None], 3, axis=-1))
        same(found, GREY)
        assert "of the declared range" in meta["warnings"]


FAR = {"WindowCenter": 3174, "WindowWidth": 2426}
FAR_PIXELS = (12000 + stored_grey(12).astype(int) * 3).astype("uint16")


class TestWindows:
    @pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
    @pytest.mark.parametrize("frame", [None, 0, 65535])
    @pytest.mark.parametrize("stray", [False, True])
    def test_window_of_another_image(self, tmp_path, function, frame, stray):
        pixels = FAR_PIXELS.copy()
        if frame is not None:
            pixels[:2] = pixels[-2:] = frame
        if stray:
            pixels[30, 40] = 3100  # in the middle of the window
        found, meta = read(tmp_path, pixels, VOILUTFunction=function, **FAR)
        same(found, pixels / 65535)
        assert "the window (center 3174, width 2426)" in meta["warnings"] and "is ignored" in meta["warnings"]

    def test_voi_lut_of_another_image(self, tmp_path):
        pixels = FAR_PIXELS.copy()
        pixels[:2] = 0
        found, meta = read(tmp_path, pixels, VOILUTSequence=[lut_item(np.arange(4096), 0, 12)])
        same(found, pixels / 65535)
        assert "VOILUTSequence shows nothing of this image and is ignored" in meta["warnings"]

    def test_most_of_the_image_black_or_white(self, tmp_path):
        found, meta = read(tmp_path, stored_grey(12), BitsStored=12, WindowCenter=100, WindowWidth=200)
        same(found, GREY)
        assert "of this image black or white and is ignored" in meta["warnings"]

    def test_a_hard_window_that_was_meant(self, tmp_path):
        low, high = np.percentile(stored_grey(12), [20, 80])
        elements = {"WindowCenter": (low + high) / 2, "WindowWidth": high - low, "VOILUTFunction": "LINEAR_EXACT"}
        found, meta = read(tmp_path, stored_grey(12), BitsStored=12, **elements)
        same(found, np.clip((stored_grey(12) - low) / (high - low), 0, 1))
        assert meta["warnings"] == "" and meta["intensity_source"] == "window"

    @pytest.mark.parametrize("bits", [10, 12, 14])
    def test_window_that_says_what_bits_stored_says(self, tmp_path, bits):
        found, meta = read(tmp_path, stored_grey(bits), WindowCenter=32768, WindowWidth=65536)
        same(found, GREY)
        assert "of the declared range" in meta["warnings"]
        _, meta = read(tmp_path, stored_grey(16), WindowCenter=32768, WindowWidth=65536)
        assert meta["warnings"] == "" and meta["intensity_source"] == "window"


class TestCompressed:
    @pytest.mark.parametrize("syntax", [JPEG_2000_LOSSLESS, JPEG_LS, JPEG_LOSSLESS])
    @pytest.mark.parametrize("bits", [8, 10, 12, 14])
    @pytest.mark.parametrize("signed", [0, 1])
    def test_fewer_bits_in_the_stream_than_in_the_tags(self, tmp_path, syntax, bits, signed):
        dataset = dicom_dataset(stored_grey(bits, "uint8" if bits == 8 else "uint16"), syntax, BitsStored=bits)
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
        dataset.PixelRepresentation = signed
        image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
        same(image.T, GREY)
        assert f"BitsStored is 16, the compressed image has {bits} bits" in meta["warnings"]

    def test_signed_stream(self, tmp_path):
        pixels = (stored_grey(12).astype(int) - 2048).astype("int16")
        dataset = dicom_dataset(pixels, JPEG_2000_LOSSLESS, BitsStored=12)
        dataset.BitsStored, dataset.HighBit = 16, 15
        image, _ = read_image(save_dicom(tmp_path / "i.dcm", dataset))
        same(image.T, GREY)

    def test_rle_has_no_bits_of_its_own(self, tmp_path):
        found, meta = read(tmp_path, stored_grey(12), RLE)
        same(found, GREY)
        assert "of the declared range" in meta["warnings"]


def planes(dataset, *bits: int):
    """Say that overlay planes lie in these bits of the pixels."""
    for i, bit in enumerate(bits):
        group = (0x6000 + 2 * i) << 16
        for element, vr, value in ((0x10, "US", 60), (0x11, "US", 90), (0x40, "CS", "G"), (0x50, "SS", [1, 1])):
            dataset.add_new(group + element, vr, value)
        dataset.add_new(group + 0x100, "US", 16)
        dataset.add_new(group + 0x102, "US", bit)
    return dataset


@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, JPEG_2000_LOSSLESS, JPEG_LS, JPEG_LOSSLESS])
class TestOverlay:
    @pytest.mark.parametrize("bits", [(12,), (15,), (12, 13, 14, 15)])
    @pytest.mark.parametrize("window", [{}, {"WindowCenter": 2048, "WindowWidth": 4096}])
    @pytest.mark.parametrize("stored", [12, 16])
    def test_planes_in_the_pixels_are_no_image(self, tmp_path, syntax, bits, window, stored):
        pixels = stored_grey(12)
        for i, bit in enumerate(bits):
            pixels[10 + 5 * i : 30 + 5 * i, 10:50] |= 1 << bit
        dataset = planes(dicom_dataset(pixels, syntax, **window), *bits)
        dataset.BitsStored, dataset.HighBit = stored, stored - 1
        image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
        same(image.T, GREY)
        assert ("an overlay lies in bit" in meta["warnings"]) is (stored == 16)

    def test_planes_that_no_element_tells_of(self, tmp_path, syntax):
        pixels = stored_grey(12)
        pixels[10:30, 10:50] |= 1 << 12
        dataset = dicom_dataset(pixels, syntax)
        dataset.BitsStored, dataset.HighBit = 12, 11
        image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
        same(image.T, GREY)
        assert ("more than the 12 bits" in meta["warnings"]) is (syntax not in (EXPLICIT, RLE))


@pytest.mark.parametrize("syntax", [EXPLICIT, RLE, JPEG_2000_LOSSLESS, JPEG_LS, JPEG_LOSSLESS])
def test_bits_stored_below_the_image_is_told_from_an_overlay(tmp_path, syntax):
    dataset = dicom_dataset(stored_grey(12), syntax, BitsStored=12)
    dataset.BitsStored, dataset.HighBit = 10, 9
    image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
    same(image.T, GREY)
    assert "BitsStored is 10, the image has larger values" in meta["warnings"]


@pytest.mark.parametrize(
    ("slope", "intercept", "fault"),
    [("-1e308", "0", "not finite"), ("1e308", "0", "not finite"), ("1", "1e308", "all alike")],
)
def test_rescale_that_leaves_no_grey_values(tmp_path, slope, intercept, fault):
    with pytest.raises(InputError, match=f"the grey values are {fault}"):
        read(tmp_path, stored_grey(12), RescaleSlope=slope, RescaleIntercept=intercept)


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(("slope", "intercept"), [("nan", "0"), ("1", "inf"), ("1", "-inf")])
def test_rescale_that_is_no_number_is_ignored(tmp_path, slope, intercept):
    found, meta = read(tmp_path, stored_grey(12), BitsStored=12, RescaleSlope=slope, RescaleIntercept=intercept)
    same(found, GREY)
    assert "is not a number and is ignored" in meta["warnings"]
