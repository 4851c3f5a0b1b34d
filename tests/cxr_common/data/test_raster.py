"""PNG, JPEG and TIFF against grey levels and positions known by construction."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from cxr_common.errors import InputError
from tests.golden import SHARED, needs_radiographs
from tests.image_files import (
    ENCODERS,
    JPEG_LOSSLESS,
    MARKER_BOX,
    dicom_dataset,
    marker_corner,
    marker_picture,
    read_image,
)


def save(path: Path, picture: np.ndarray | Image.Image, **options) -> Path:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg"])
def test_eight_bits(tmp_path, suffix):
    image, meta = read_image(save(tmp_path / f"i.{suffix}", marker_picture()))
    assert image.shape == (60, 40) and image.dtype == np.float32 and marker_corner(image) == MARKER_BOX
    difference = np.abs(image - marker_picture().T / 255)
    assert difference.mean() < 2 / 255 if suffix == "jpg" else difference.max() < 1e-6
    assert (meta["intensity_source"], meta["intensity_low"], meta["intensity_high"]) == ("dtype", 0, 255)
    assert np.isnan(meta["spacing"]).all() and meta["spacing_source"] == "" and np.isnan(meta["original_channel_dim"])


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("tif", {}), ("tif", {"compression": "tiff_lzw"})])
def test_sixteen_bits(tmp_path, suffix, options):
    row = np.array([[0, 256, 13107, 65535]], "uint16")
    image, meta = read_image(save(tmp_path / f"i.{suffix}", row, **options))
    np.testing.assert_allclose(image[:, 0], [0, 256 / 65535, 0.2, 1], atol=1e-7)
    assert meta["intensity_high"] == 65535


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_twelve_bits_of_sixteen(tmp_path, suffix):
    image, meta = read_image(save(tmp_path / f"i.{suffix}", np.array([[0, 1024, 4095]], "uint16")))
    np.testing.assert_allclose(image[:, 0], [0, 1024 / 4095, 1], atol=1e-7)
    assert "taken as 0 to 4095" in meta["warnings"] and meta["intensity_source"] == "used depth"


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_wide_tiff_is_scaled_by_percentiles(tmp_path, dtype):
    ramp = np.arange(1000, dtype=dtype).reshape(20, 50) * 10 - 500
    image, meta = read_image(save(tmp_path / "i.tif", ramp))
    # numpy's linear percentile of 0..999: 0.005 * 999 = 4.995, 0.995 * 999 = 994.005
    assert meta["intensity_source"] == "percentile"
    assert (meta["intensity_low"], meta["intensity_high"]) == pytest.approx((-450.05, 9440.05))
    assert image[0, 0] == 0 and image[-1, -1] == 1
    assert image[25, 10] == pytest.approx((525 * 10 - 500 + 450.05) / (9440.05 + 450.05), abs=1e-6)


def test_pixels_that_are_not_numbers_become_black_and_do_not_count(tmp_path):
    ramp = np.arange(1000, dtype="float32").reshape(20, 50)
    ramp[0, :3] = np.nan, np.inf, -np.inf
    image, meta = read_image(save(tmp_path / "i.tif", ramp))
    assert image[:3, 0].tolist() == [0, 0, 0] and np.isfinite(image).all()
    assert 3 < meta["intensity_low"] < 10 and "0.30% of the pixels are NaN" in meta["warnings"]
    with pytest.raises(InputError, match="100% of the pixels are NaN"):
        read_image(save(tmp_path / "nan.tif", np.full((20, 20), np.nan, "float32")))


def test_white_is_zero_tiff(tmp_path):
    row = np.array([[0, 13107, 65535]], "uint16")
    path = save(tmp_path / "i.tif", row, tiffinfo={262: 0})
    assert Image.open(path).tag_v2[262] == 0
    np.testing.assert_allclose(read_image(path)[0][:, 0], [1, 0.8, 0], atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_one_bit(tmp_path, suffix):
    picture = marker_picture() > 128
    image, meta = read_image(save(tmp_path / f"i.{suffix}", Image.fromarray(picture).convert("1")))
    assert set(np.unique(image)) == {0, 1} and marker_corner(image) == MARKER_BOX and meta["intensity_high"] == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "CMYK"])
def test_grey_in_colour_modes(tmp_path, mode):
    picture = Image.fromarray(marker_picture())
    converted = picture.convert(mode)
    image, _ = read_image(save(tmp_path / ("i.tif" if mode == "CMYK" else "i.png"), converted))
    assert image.shape == (60, 40) and marker_corner(image) == MARKER_BOX
    np.testing.assert_allclose(image, marker_picture().T / 255, atol=1 / 255)


def test_cmyk_jpeg(tmp_path):
    image, _ = read_image(save(tmp_path / "i.jpg", Image.fromarray(marker_picture()).convert("CMYK"), quality=95))
    assert image.shape == (60, 40) and marker_corner(image)[0] == MARKER_BOX[0]


def test_palette_order_is_not_the_grey_level(tmp_path):
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "P")
    picture.putpalette([255, 255, 255, 51, 51, 51, 0, 0, 0])
    assert read_image(save(tmp_path / "i.png", picture))[0][:, 0].tolist() == pytest.approx([1, 0.2, 0])


def test_transparent_pixels_are_black(tmp_path):
    rgba = np.full((1, 3, 4), 255, np.uint8)
    rgba[0, :, 3] = 255, 51, 0
    image, _ = read_image(save(tmp_path / "i.png", rgba))
    assert image[:, 0].tolist() == pytest.approx([1, 0.2, 0])


def test_colour(tmp_path):
    photograph = np.zeros((40, 60, 3), np.uint8)
    photograph[..., 0] = 200
    path = save(tmp_path / "i.png", photograph)
    with pytest.raises(InputError, match=r"in colour \(100% of its pixels\)"):
        read_image(path)
    image, meta = read_image(path, channels=3)
    assert image.shape == (3, 60, 40) and meta["original_channel_dim"] == 0
    np.testing.assert_allclose(image[:, 5, 5], [200 / 255, 0, 0], atol=1e-6)


def test_a_coloured_mark_is_no_colour_picture(tmp_path):
    rgb = np.repeat(marker_picture(100, 100)[..., None], 3, axis=-1)
    rgb[50, :50] = 255, 0, 0
    image, meta = read_image(save(tmp_path / "i.png", rgb))
    assert image[10, 50] == pytest.approx(0.299, abs=1e-6) and "coloured marks" in meta["warnings"]
    rgb[50:53] = 255, 0, 0
    with pytest.raises(InputError, match="in colour"):
        read_image(save(tmp_path / "more.png", rgb))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    path = save(tmp_path / "i.png", marker_picture(), exif=exif)
    image, meta = read_image(path)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(path)))
    np.testing.assert_array_equal((image.T * 255).round(), upright)
    assert tuple(meta["spatial_shape"]) == image.shape and tuple(meta["stored_shape"]) == (60, 40)


def test_damaged_exif_is_ignored(tmp_path):
    path = save(tmp_path / "i.png", marker_picture(), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff rubbish")
    image, meta = read_image(path)
    assert marker_corner(image) == MARKER_BOX and meta["stored_axes"] == "+x+y"


def test_big_endian_tiff_by_its_bytes(tmp_path):
    import struct

    tags = [(256, 3), (257, 1), (258, 16), (259, 1), (262, 1), (273, 122), (277, 1), (278, 1), (279, 6)]
    entries = b"".join(struct.pack(">HHIHH", tag, 3, 1, value, 0) for tag, value in tags)
    content = b"MM\0*\0\0\0\x08" + struct.pack(">H", len(tags)) + entries + b"\0\0\0\0"
    assert len(content) == 122
    (tmp_path / "i.tif").write_bytes(content + struct.pack(">HHH", 0, 13107, 65535))
    image, _ = read_image(tmp_path / "i.tif")
    np.testing.assert_allclose(image[:, 0], [0, 0.2, 1], atol=1e-6)


def test_print_resolution_is_no_spacing(tmp_path):
    _, meta = read_image(save(tmp_path / "i.png", marker_picture(), dpi=(96, 96)))
    assert np.isnan(meta["spacing"]).all()


def test_interlaced_by_its_bytes(tmp_path):
    # Adam7, 2 x 2 pixels, written by hand: pass 1 (0,0), pass 6 (1,0), pass 7 row 1
    import struct
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    data = zlib.compress(b"\0\x00" + b"\0\x33" + b"\0\x66\xff")
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 1))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    (tmp_path / "i.png").write_bytes(content)
    image, _ = read_image(tmp_path / "i.png")
    np.testing.assert_allclose(image.T, [[0, 0.2], [0.4, 1]], atol=1e-6)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_several_images(tmp_path, suffix):
    pages = [Image.fromarray(marker_picture() + i) for i in range(3)]
    pages[0].save(tmp_path / f"i.{suffix}", save_all=True, append_images=pages[1:])
    with pytest.raises(InputError, match="holds 3 images"):
        read_image(tmp_path / f"i.{suffix}")


@pytest.mark.parametrize(("suffix", "options"), [("png", {}), ("jpg", {"quality": 95}), ("tif", {})])
def test_every_cut_is_refused(tmp_path, suffix, options):
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (24, 24)).astype("uint8")
    Image.fromarray(noise).save(file, {"png": "PNG", "jpg": "JPEG", "tif": "TIFF"}[suffix], **options)
    whole = file.getvalue()
    cut = tmp_path / f"i.{suffix}"
    for size in range(1, int(len(whole) * 0.9), 11):
        cut.write_bytes(whole[:size])
        with pytest.raises(InputError):
            read_image(cut)


@pytest.mark.parametrize("bits", [12, 16])
def test_a_jpeg_of_more_than_eight_bits_is_named(tmp_path, bits):
    dataset = dicom_dataset(np.zeros((8, 8), "uint16"), BitsStored=bits)
    (tmp_path / "i.jpg").write_bytes(ENCODERS[JPEG_LOSSLESS](np.zeros((8, 8), "uint16"), dataset))
    with pytest.raises(InputError, match=f"a JPEG of {bits} bits is not supported"):
        read_image(tmp_path / "i.jpg")


def test_uniform_image_is_doubtful(tmp_path):
    assert "same value" in read_image(save(tmp_path / "i.png", np.full((9, 9), 7, np.uint8)))[1]["warnings"]


@needs_radiographs
def test_real_radiograph_with_coloured_marks():
    (path,) = (SHARED / "cxr" / "originals" / "ieee8023").glob("*ca.png")
    image, meta = read_image(path)
    assert image.shape == (790, 631) and "coloured marks" in meta["warnings"]


@needs_radiographs
@pytest.mark.parametrize("name", ["2011_000003", "2011_000006", "2011_000025"])
def test_real_photographs_are_in_colour(name):
    path = SHARED / "cxr" / "originals" / "voc_mini" / "JPEGImages" / f"{name}.jpg"
    with pytest.raises(InputError, match="in colour"):
        read_image(path)
    image, _ = read_image(path, channels=3)
    np.testing.assert_allclose(image, np.asarray(Image.open(path), np.float32).transpose(2, 1, 0) / 255, atol=1e-6)
