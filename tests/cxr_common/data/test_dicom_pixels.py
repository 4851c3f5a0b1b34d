"""Every transfer syntax, absent decoders, and codestreams that disagree with their tags."""

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from cxr_common.data import dicom_pixels
from cxr_common.errors import InputError
from tests.image_files import (
    BIG_ENDIAN,
    DEFLATED,
    ENCODERS,
    EXPLICIT,
    IMPLICIT,
    JPEG_2000,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS,
    JPEG_LS,
    MARKER_BOX,
    RLE,
    dicom_dataset,
    marker_corner,
    marker_picture,
    read_image,
    save_dicom,
    stored_grey,
    write_dicom,
)

SYNTAXES = [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED, *ENCODERS]


DEPTHS = [("uint8", 8), ("uint16", 16), ("uint16", 12), ("uint16", 15), ("int16", 16), ("int16", 12)]
CASES = [(s, dtype, bits) for s in SYNTAXES for dtype, bits in DEPTHS if s != JPEG_BASELINE or dtype == "uint8"]


@pytest.mark.parametrize(("syntax", "dtype", "bits"), CASES)
def test_every_transfer_syntax_gives_the_same_values(tmp_path, syntax, dtype, bits):
    low = 0 if dtype[0] == "u" else -(1 << (bits - 1))
    values = np.random.default_rng(bits).integers(low, low + (1 << bits), (40, 60)).astype(dtype)
    if syntax == JPEG_BASELINE:
        values = marker_picture()
    image, meta = read_image(write_dicom(tmp_path / "image.dcm", values, syntax, BitsStored=bits))
    expected = (values.T.astype(np.float64) - low) / ((1 << bits) - 1)
    np.testing.assert_allclose(image, expected, atol=8 / 255 if syntax == JPEG_BASELINE else 1e-6)
    assert meta["transfer_syntax_uid"] == syntax and meta["warnings"] == ""


@pytest.mark.parametrize("syntax", [JPEG_BASELINE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000_LOSSLESS])
def test_eight_bit_codestream_in_sixteen_bits_allocated(tmp_path, syntax):
    dataset = dicom_dataset(marker_picture(), syntax)
    dataset.BitsAllocated = 16
    image, _ = read_image(save_dicom(tmp_path / "i.dcm", dataset))
    assert marker_corner(image) == MARKER_BOX and image.max() == 1


def test_unsigned_jpeg_2000_of_signed_tags(tmp_path):
    # 12 bits, encoded as unsigned: -2048 goes in as 2048.
    values = np.tile(np.array([-2048, -1229, 0, 2047], "int16"), (64, 16))
    dataset = dicom_dataset((values & 0xFFF).astype("uint16"), JPEG_2000_LOSSLESS, BitsStored=12)
    dataset.PixelRepresentation = 1
    image, _ = read_image(save_dicom(tmp_path / "i.dcm", dataset))
    assert image[:4, 0].tolist() == pytest.approx([0, 0.2, 2048 / 4095, 1], abs=1e-6)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_the_marker_stays_at_its_place(tmp_path, syntax, photometric):
    picture = marker_picture() if photometric == "MONOCHROME2" else 255 - marker_picture()
    image, _ = read_image(write_dicom(tmp_path / "i.dcm", picture, syntax, PhotometricInterpretation=photometric))
    assert marker_corner(image) == MARKER_BOX


def test_colour_jpeg_of_a_grey_picture(tmp_path):
    rgb = np.repeat(marker_picture()[..., None], 3, axis=-1)
    path = write_dicom(tmp_path / "i.dcm", rgb, JPEG_BASELINE, PhotometricInterpretation="YBR_FULL_422")
    image, _ = read_image(path)
    np.testing.assert_allclose(image, marker_picture().T / 255, atol=10 / 255)


@pytest.mark.parametrize(
    ("syntax", "package"),
    [
        (JPEG_BASELINE, "pylibjpeg[libjpeg]"),
        (JPEG_LOSSLESS, "pylibjpeg[libjpeg]"),
        (JPEG_LS, "pyjpegls"),
        (JPEG_2000, "pylibjpeg[openjpeg]"),
    ],
)
def test_an_absent_decoder_is_named(tmp_path, monkeypatch, syntax, package):
    monkeypatch.setattr(dicom_pixels, "can_decode", lambda _: False)
    with pytest.raises(InputError) as caught:
        read_image(write_dicom(tmp_path / "i.dcm", marker_picture(), syntax))
    assert "no decoder for" in caught.value.reason and package in caught.value.action


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.106"])
def test_a_syntax_without_any_decoder(tmp_path, syntax):
    dataset = dicom_dataset(marker_picture(), RLE)
    dataset.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(InputError, match="no decoder for|not supported"):
        read_image(save_dicom(tmp_path / "i.dcm", dataset))


def test_an_unknown_syntax(tmp_path):
    path = write_dicom(tmp_path / "i.dcm", marker_picture())
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.113619.5.2\0\0"))
    with pytest.raises(InputError, match="1.2.840.113619.5.2 is not supported"):
        read_image(path)


@pytest.mark.parametrize(("claimed", "real"), [(EXPLICIT, RLE), (RLE, EXPLICIT)])
def test_a_syntax_that_the_pixels_contradict(tmp_path, claimed, real):
    path = write_dicom(tmp_path / "i.dcm", marker_picture(), real)
    content = path.read_bytes()
    old, new = (uid.encode() + b"\0" * (len(uid) % 2) for uid in (real, claimed))
    assert len(old) == len(new) and content.count(old) == 1
    path.write_bytes(content.replace(old, new))
    with pytest.raises(InputError, match="and the pixel data are not"):
        read_image(path)


@pytest.mark.parametrize("syntax", [JPEG_BASELINE, JPEG_LOSSLESS, JPEG_LS, JPEG_2000_LOSSLESS])
class TestCodestream:
    def test_another_size_than_the_tags(self, tmp_path, syntax):
        dataset = dicom_dataset(marker_picture(), syntax)
        dataset.Rows += 1
        with pytest.raises(InputError, match="compressed image is 60 x 40, its tags say 60 x 41"):
            read_image(save_dicom(tmp_path / "i.dcm", dataset))

    def test_cut_off_inside_its_item(self, tmp_path, syntax):
        frame = ENCODERS[syntax](marker_picture(), dicom_dataset(marker_picture()))
        cut = frame[: len(frame) // 2 // 2 * 2]
        data = b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0" + len(cut).to_bytes(4, "little") + cut
        with pytest.raises(InputError, match="compressed pixel data are cut off"):
            read_image(write_dicom(tmp_path / "i.dcm", marker_picture(), syntax, PixelData=data))

    def test_several_fragments(self, tmp_path, syntax):
        frame = ENCODERS[syntax](marker_picture(), dicom_dataset(marker_picture()))
        frame += b"\0" * (len(frame) % 2)
        half = len(frame) // 4 * 2
        data = b"\xfe\xff\0\xe0\0\0\0\0"
        for fragment in (frame[:half], frame[half:]):
            data += b"\xfe\xff\0\xe0" + len(fragment).to_bytes(4, "little") + fragment
        image, _ = read_image(write_dicom(tmp_path / "i.dcm", marker_picture(), syntax, PixelData=data))
        assert marker_corner(image) == MARKER_BOX

    def test_cut_off_between_items(self, tmp_path, syntax):
        path = write_dicom(tmp_path / "i.dcm", marker_picture(), syntax)
        path.write_bytes(path.read_bytes()[:-40])
        with pytest.raises(InputError, match="cut off|no pixel data|damaged"):
            read_image(path)


@pytest.mark.parametrize("data", [b"\xfe\xff\0\xe0\0\0\0\0", b"\xfe\xff\0\xe0\0\0\0\0" + b"rubbish!" * 4])
def test_damaged_items(tmp_path, data):
    with pytest.raises(InputError, match="no pixel data|empty|damaged"):
        read_image(write_dicom(tmp_path / "i.dcm", marker_picture(), RLE, PixelData=data))


def test_a_decoders_complaint_is_one_line(tmp_path):
    frame = ENCODERS[RLE](marker_picture(), dicom_dataset(marker_picture()))[:-200]
    data = b"\xfe\xff\0\xe0\0\0\0\0\xfe\xff\0\xe0" + len(frame).to_bytes(4, "little") + frame
    with pytest.raises(InputError, match="cannot be decoded") as caught:
        read_image(write_dicom(tmp_path / "i.dcm", marker_picture(), RLE, PixelData=data))
    assert "\n" not in str(caught.value)


def test_bits_stored_that_a_compressed_image_exceeds(tmp_path):
    values = np.tile(np.arange(64, dtype="uint16") * 65, (40, 1))  # to 4095
    path = write_dicom(tmp_path / "i.dcm", values, JPEG_LS)
    dataset = dicom_dataset(values, JPEG_LS, BitsStored=12)
    dataset.BitsStored, dataset.HighBit = 10, 9
    image, meta = read_image(save_dicom(path, dataset))
    np.testing.assert_allclose(image[:, 0], np.arange(64) * 65 / 4095, atol=1e-6)
    assert "BitsStored is 10" in meta["warnings"]


@pytest.mark.parametrize(
    ("real", "claimed"),
    [
        (JPEG_2000_LOSSLESS, JPEG_BASELINE),
        (JPEG_2000_LOSSLESS, JPEG_LS),
        (JPEG_LS, RLE),
        (JPEG_LOSSLESS, JPEG_2000),
        (JPEG_BASELINE, JPEG_LOSSLESS),
    ],
)
def test_a_frame_of_another_compression_than_declared(tmp_path, real, claimed):
    dataset = dicom_dataset(marker_picture(), real)
    dataset.file_meta.TransferSyntaxUID = UID(claimed)
    image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
    assert marker_corner(image) == MARKER_BOX
    assert "the transfer syntax says" in meta["warnings"]


def test_several_frames_where_the_tags_say_one(tmp_path):
    first, second = (ENCODERS[JPEG_LS](p, dicom_dataset(p)) for p in (marker_picture(), 255 - marker_picture()))
    data = encapsulate([first, second])
    image, meta = read_image(write_dicom(tmp_path / "i.dcm", marker_picture(), JPEG_LS, PixelData=data))
    assert marker_corner(image) == MARKER_BOX
    assert meta["warnings"] == "there are 2 compressed images where the tags say one: the first is taken"


def test_a_codestream_of_more_bits_than_are_allocated(tmp_path):
    dataset = dicom_dataset(stored_grey(12), JPEG_2000_LOSSLESS, BitsStored=12)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    image, meta = read_image(save_dicom(tmp_path / "i.dcm", dataset))
    assert np.abs(image.T - stored_grey(12) / 4095).max() < 0.001
    assert "BitsStored is 8, the image has larger values" in meta["warnings"]


def test_a_high_bit_that_cannot_be(tmp_path):
    image, meta = read_image(write_dicom(tmp_path / "i.dcm", stored_grey(12), BitsStored=12, HighBit=5))
    assert np.abs(image.T - stored_grey(12) / 4095).max() < 0.001
    assert meta["warnings"] == "HighBit is 5, taken as 11"
