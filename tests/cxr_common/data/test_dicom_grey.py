"""Grey levels of DICOM images against numbers worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from tests.image_files import (
    BIG_ENDIAN,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000_LOSSLESS,
    dicom_dataset,
    lut_item,
    read_image,
    save_dicom,
    write_dicom,
)

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")  # some are written on purpose


def grey(tmp_path: Path, values: list, dtype: str = "uint8", syntax: str = EXPLICIT, **elements) -> tuple[list, dict]:
    """The values that a row of stored values is read as."""
    row = np.array([values], dtype)
    image, meta = read_image(write_dicom(tmp_path / "image.dcm", row, syntax, **elements))
    return image[:, 0].tolist(), meta


def close(expected: list, tolerance: float = 1e-6):
    return pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("dtype", "bits", "values", "expected"),
    [
        ("uint8", 8, [0, 51, 255], [0, 0.2, 1]),
        ("uint16", 12, [0, 819, 4095], [0, 0.2, 1]),
        ("uint16", 16, [0, 13107, 65535], [0, 0.2, 1]),
        ("int16", 12, [-2048, -1229, 2047], [0, 0.2, 1]),
        ("int16", 16, [-32768, 32767, 0], [0, 1, 32768 / 65535]),
    ],
)
def test_without_voi_the_range_of_bits_stored_counts(tmp_path, dtype, bits, values, expected):
    found, meta = grey(tmp_path, values, dtype, BitsStored=bits)
    assert found == close(expected)
    assert meta["intensity_source"] == "bits stored"
    low = 0 if dtype[0] == "u" else -(2 ** (bits - 1))
    assert (meta["intensity_low"], meta["intensity_high"]) == (low, low + 2**bits - 1)


def test_rescale_comes_before_the_window(tmp_path):
    # stored 0..4 -> -20, -10, 0, 10, 20; LINEAR: (x - (c - 0.5)) / (w - 1) + 0.5 with c 0.5, w 21
    elements = {"RescaleSlope": 10, "RescaleIntercept": -20, "WindowCenter": 0.5, "WindowWidth": 21}
    found, meta = grey(tmp_path, [0, 1, 2, 3, 4], **elements)
    assert found == close([0, 0, 0.5, 1, 1])
    assert (meta["intensity_source"], meta["intensity_low"], meta["intensity_high"]) == ("window", -10, 10)


@pytest.mark.parametrize("elements", [{"RescaleSlope": 2, "RescaleIntercept": -10}, {"RescaleIntercept": 7}])
def test_rescale_without_voi_scales_by_its_own_range(tmp_path, elements):
    found, meta = grey(tmp_path, [0, 51, 255], **elements)
    assert found == close([0, 0.2, 1])
    assert meta["intensity_low"] == elements["RescaleIntercept"]


def test_negative_slope_turns_the_picture_round(tmp_path):
    found, _ = grey(tmp_path, [0, 51, 255], RescaleSlope=-1, RescaleIntercept=0)
    assert found == close([1, 0.8, 0])
    windowed, _ = grey(tmp_path, [0, 51, 255], RescaleSlope=-1, RescaleIntercept=255, WindowCenter=128, WindowWidth=256)
    assert windowed == close([1, 0.8, 0])


@pytest.mark.parametrize(
    ("function", "center", "width", "values", "expected"),
    [
        ("LINEAR", 128, 256, [0, 51, 255], [0, 0.2, 1]),
        (None, 128, 256, [0, 51, 255], [0, 0.2, 1]),
        ("LINEAR", 100, 51, [74, 75, 99, 124, 125], [0, 0.01, 0.49, 0.99, 1]),
        ("LINEAR_EXACT", 128, 256, [0, 64, 192], [0, 0.25, 0.75]),
        ("SIGMOID", 100, 50, [100, 150, 50], [0.5, 0.98201379, 0.01798621]),
        ("sigmoid ", 100, 50, [100, 150, 50], [0.5, 0.98201379, 0.01798621]),
        ("POTATO", 128, 256, [0, 51, 255], [0, 0.2, 1]),
    ],
)
def test_window_functions(tmp_path, function, center, width, values, expected):
    elements = {"WindowCenter": center, "WindowWidth": width, "VOILUTFunction": function}
    assert grey(tmp_path, values, **elements)[0] == close(expected)


def test_the_first_of_several_windows_counts(tmp_path):
    found, _ = grey(tmp_path, [0, 51, 255], WindowCenter=[128, 40, 700], WindowWidth=[256, 10])
    assert found == close([0, 0.2, 1])


@pytest.mark.parametrize(
    ("elements", "warning"),
    [
        ({"WindowCenter": 10, "WindowWidth": 0}, "WindowWidth of 0"),
        ({"WindowCenter": 10, "WindowWidth": -5}, "WindowWidth of -5"),
        ({"WindowCenter": 5000, "WindowWidth": 100}, "shows nothing"),
        ({"WindowCenter": "", "WindowWidth": ""}, ""),
        ({"WindowCenter": 10}, ""),
        ({"RescaleSlope": 0, "RescaleIntercept": 0}, "RescaleSlope of 0"),
    ],
)
def test_an_impossible_window_is_ignored(tmp_path, elements, warning):
    found, meta = grey(tmp_path, [0, 51, 255], **elements)
    assert found == close([0, 0.2, 1])
    assert meta["intensity_source"] == "bits stored"
    assert warning in meta["warnings"] and bool(warning) == bool(meta["warnings"])


def test_a_number_that_is_none_is_ignored(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", np.array([[0, 51, 255, 0]], "uint8"), WindowCenter=1234567, WindowWidth=256)
    path.write_bytes(path.read_bytes().replace(b"1234567", b"12,5 px"))
    image, meta = read_image(path)
    assert image[:, 0].tolist() == close([0, 0.2, 1, 0])
    assert "WindowCenter" in meta["warnings"]


def test_a_narrow_window_in_rescaled_units_is_exact(tmp_path):
    elements = {"RescaleSlope": 1 / 256, "RescaleIntercept": 0, "WindowCenter": 0.5, "WindowWidth": 0.5}
    found, _ = grey(tmp_path, [0, 64, 96, 128, 255], **elements)
    assert found == close([0, 0, 0.25, 0.5, 1], 1e-5)


def test_voi_lut_goes_before_the_window(tmp_path):
    entries = np.array([0, 100, 255, 40])
    elements = {"VOILUTSequence": [lut_item(entries, 10, 8)], "WindowCenter": 128, "WindowWidth": 256}
    found, meta = grey(tmp_path, [0, 10, 11, 12, 13, 200], **elements)
    assert found == close([0, 0, 100 / 255, 1, 40 / 255, 40 / 255])
    assert (meta["intensity_source"], meta["intensity_low"], meta["intensity_high"]) == ("voi lut", 10, 13)


def test_eight_bit_lut_longer_than_256_entries(tmp_path):
    entries = np.arange(512) // 2
    found, _ = grey(tmp_path, [0, 300, 511], "uint16", BitsStored=12, VOILUTSequence=[lut_item(entries, 0, 8)])
    assert found == close([0, 150 / 255, 1])


@pytest.mark.parametrize("first", [-2, 65534])
def test_lut_that_starts_below_zero(tmp_path, first):
    item = lut_item(np.array([0, 10, 20, 30, 31]), first, 5)
    found, _ = grey(tmp_path, [-5, -2, -1, 0, 1, 9], "int16", BitsStored=12, VOILUTSequence=[item])
    assert found == close([0, 0, 10 / 31, 20 / 31, 30 / 31, 1])


@pytest.mark.parametrize("syntax", [EXPLICIT, IMPLICIT, BIG_ENDIAN])
def test_lut_of_65536_entries_is_described_by_zero(tmp_path, syntax):
    words = np.arange(65536)[::-1]
    item = lut_item(words, 0, 16, count=0)
    if syntax == BIG_ENDIAN:
        item.LUTData = np.asarray(words, ">u2").tobytes()
    found, _ = grey(tmp_path, [0, 13107, 65535], "uint16", syntax, VOILUTSequence=[item])
    assert found == close([1, 0.8, 0])


def test_modality_lut_comes_before_the_window(tmp_path):
    modality = lut_item(np.array([0, 1000, 3000, 4095]), 0, 12)
    modality.ModalityLUTType = "US"
    found, meta = grey(tmp_path, [0, 1, 2, 3, 9], ModalityLUTSequence=[modality])
    assert found == close([0, 1000 / 4095, 3000 / 4095, 1, 1])
    elements = {"WindowCenter": 2000, "WindowWidth": 2000, "VOILUTFunction": "LINEAR_EXACT"}
    assert grey(tmp_path, [0, 1, 2, 3], ModalityLUTSequence=[modality], **elements)[0] == close([0, 0, 1, 1])


@pytest.mark.parametrize("damage", ["no data", "no descriptor", "short descriptor", "bits"])
def test_a_damaged_lut_gives_way_to_the_window(tmp_path, damage):
    item = lut_item(np.array([7, 9]), 0, 8)
    if damage == "no data":
        item.LUTData = b""
    elif damage == "no descriptor":
        del item.LUTDescriptor
    elif damage == "short descriptor":
        item.LUTDescriptor = [2, 0]
    else:
        item.LUTDescriptor = [2, 0, 40]
    found, meta = grey(tmp_path, [0, 51, 255], VOILUTSequence=[item], WindowCenter=128, WindowWidth=256)
    assert found == close([0, 0.2, 1])
    assert "VOILUTSequence is damaged" in meta["warnings"] and meta["intensity_source"] == "window"


@pytest.mark.parametrize(
    ("photometric", "shape", "inverse", "contradicts"),
    [
        ("MONOCHROME2", None, False, False),
        ("MONOCHROME2", "IDENTITY", False, False),
        ("MONOCHROME1", None, True, False),
        ("MONOCHROME1", "INVERSE", True, False),
        ("MONOCHROME2", "INVERSE", False, True),
        ("MONOCHROME1 ", "IDENTITY", True, True),
    ],
)
def test_photometric_interpretation_decides_the_polarity_after_the_window(
    tmp_path, photometric, shape, inverse, contradicts
):
    # Inverted first, 96 would be 159 and beyond the window.
    elements = {"WindowCenter": 64, "WindowWidth": 128, "VOILUTFunction": "LINEAR_EXACT"}
    found, meta = grey(
        tmp_path, [0, 96, 200], PhotometricInterpretation=photometric, PresentationLUTShape=shape, **elements
    )
    assert found == close([1, 0.25, 0] if inverse else [0, 0.75, 1])
    assert ("contradicts MONOCHROME" in meta["warnings"]) is contradicts


def test_padding_becomes_black(tmp_path):
    assert grey(tmp_path, [200, 100, 255], PixelPaddingValue=200)[0] == close([0, 100 / 255, 1])
    limits = {"PixelPaddingValue": 200, "PixelPaddingRangeLimit": 255}
    assert grey(tmp_path, [199, 200, 230, 255, 50], **limits)[0] == close([199 / 255, 0, 0, 0, 50 / 255])
    inverse = grey(tmp_path, [0, 100, 255], PixelPaddingValue=0, PhotometricInterpretation="MONOCHROME1")
    assert inverse[0] == close([0, 155 / 255, 0])


def test_padding_below_zero_and_in_unused_bits(tmp_path):
    found, _ = grey(tmp_path, [-2000, 0, 2047], "int16", BitsStored=12, PixelPaddingValue=-2000)
    assert found == close([0, 2048 / 4095, 1])
    beyond, _ = grey(tmp_path, [0xF830, 0, 4095], "uint16", BitsStored=12, PixelPaddingValue=0xF830)
    assert beyond == close([0, 0, 1])


@pytest.mark.parametrize(("dtype", "padding", "vr", "value"), [("uint16", 65535, "SS", -1), ("int16", -1, "US", 65535)])
def test_padding_may_be_written_with_the_other_sign(tmp_path, dtype, padding, vr, value):
    dataset = dicom_dataset(np.array([[padding, 0, 2047]], dtype), BitsStored=12)
    dataset.add_new("PixelPaddingValue", vr, value)
    image, _ = read_image(save_dicom(tmp_path / "image.dcm", dataset))
    black = 0 if dtype == "uint16" else 2048 / 4095
    assert image[:, 0].tolist() == close([0, black, 1 if black else 2047 / 4095])


def test_unused_high_bits_are_ignored(tmp_path):
    rubbish = [0xF000 | 0, 0x8000 | 819, 0x1000 | 4095, 2048]
    found, _ = grey(tmp_path, rubbish, "uint16", BitsStored=12)
    assert found == close([0, 0.2, 1, 2048 / 4095])
    signed = np.array([0x0800, 0x07FF, 0x0000], "uint16")  # -2048, 2047, 0 of 12 bits, not sign-extended
    image, _ = read_image(
        write_dicom(tmp_path / "s.dcm", signed[None], BitsStored=12, PixelRepresentation=1, HighBit=11)
    )
    assert image[:, 0].tolist() == close([0, 1, 2048 / 4095])


def test_left_justified_pixels(tmp_path):
    found, _ = grey(tmp_path, [0, 819 << 4, 4095 << 4], "uint16", BitsStored=12, HighBit=15)
    assert found == close([0, 0.2, 1])


def test_jpeg_2000_of_another_sign_than_its_tags(tmp_path):
    # 15 bits, encoded as signed though the tags say unsigned: 32767 goes in as -1.
    stored = np.tile(np.array([0, 6553, 16384, 32767], "uint16"), (64, 16))
    signed = ((stored.astype(np.int32) ^ 0x4000) - 0x4000).astype("int16")
    elements = {"BitsStored": 15, "PixelRepresentation": 0, "WindowCenter": 16384, "WindowWidth": 32768}
    image, _ = read_image(write_dicom(tmp_path / "j.dcm", signed, JPEG_2000_LOSSLESS, **elements))
    assert image[:4, 0].tolist() == close([0, 6553 / 32767, 16384 / 32767, 1], 1e-4)


def test_wide_pixels(tmp_path):
    found, _ = grey(tmp_path, [0, 1 << 20, (1 << 24) - 1], "uint32", BitsStored=24)
    assert found == close([0, (1 << 20) / ((1 << 24) - 1), 1])
