"""TIFF and PNG that Pillow reads wrongly or not at all, against grey levels known by construction."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cxr_common.errors import InputError
from tests.image_files import MARKER_BOX, grey_picture, marker_corner, marker_picture, read_image, stored_grey

GREY = grey_picture()


def tiff(path: Path, pixels: np.ndarray, **options) -> Path:
    tifffile.imwrite(path, pixels, **options)
    return path


def png16(path: Path, pixels: np.ndarray, colour_type: int) -> Path:
    """A PNG of 16 bits a sample, (rows, columns, samples), which Pillow does not write."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows, columns = pixels.shape[:2]
    lines = pixels.astype(">u2").reshape(rows, -1).view(np.uint8)
    data = zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 16, colour_type, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("dtype", ["i1", "u1", "u2", "i2", "u4", "i4", "u8", "i8"])
def test_integers_of_every_type(tmp_path, byteorder, bigtiff, dtype):
    info = np.iinfo(dtype)
    pixels = np.array([[info.min, 0, info.max // 2, info.max]], dtype)
    path = tiff(tmp_path / "i.tif", pixels, byteorder=byteorder, bigtiff=bigtiff)
    image, meta = read_image(path)
    low, high = float(info.min), float(info.max)
    np.testing.assert_allclose(image[:, 0], (pixels[0].astype(float) - low) / (high - low), atol=1e-6)
    assert (meta["intensity_source"], meta["file_format"], meta["warnings"]) == ("dtype", "TIFF", "")


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_float_of_every_width_is_read_alike(tmp_path, byteorder, bigtiff, dtype):
    pixels = (GREY * 2 - 0.5).astype(dtype)
    image, meta = read_image(tiff(tmp_path / "i.tif", pixels, byteorder=byteorder, bigtiff=bigtiff))
    low, high = np.percentile(GREY * 2 - 0.5, [0.5, 99.5])
    np.testing.assert_allclose(image.T, np.clip((GREY * 2 - 0.5 - low) / (high - low), 0, 1), atol=2e-3)
    assert meta["intensity_source"] == "percentile"


@pytest.mark.parametrize("options", [{"compression": "zlib"}, {"tile": (16, 16)}, {"rowsperstrip": 7}])
def test_layouts(tmp_path, options):
    image, _ = read_image(tiff(tmp_path / "i.tif", stored_grey(12, "uint32"), **options))
    np.testing.assert_allclose(image.T, GREY, atol=1e-3)


@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("bits", [12, 16])
def test_deep_rgb_tiff_keeps_its_depth(tmp_path, planar, bits):
    pixels = np.repeat(stored_grey(bits)[..., None], 3, axis=-1)
    if planar:
        pixels = np.moveaxis(pixels, -1, 0)
    path = tiff(
        tmp_path / "i.tif", pixels, photometric="rgb", planarconfig="separate" if planar else "contig", metadata=None
    )
    image, meta = read_image(path)
    np.testing.assert_allclose(image.T, GREY, atol=1e-3)
    assert len(np.unique(image)) > 256 and ("of the declared range" in meta["warnings"]) is (bits == 12)
    assert read_image(path, channels=3)[0].shape == (3, 90, 60)


def test_white_is_zero_and_orientation(tmp_path):
    picture = (255 - marker_picture().astype("i8")).astype("i4")
    turned = np.ascontiguousarray(picture[::-1])
    path = tiff(tmp_path / "i.tif", turned, photometric="miniswhite", extratags=[(274, 3, 1, 4, True)])
    image, meta = read_image(path)
    assert marker_corner(image) == MARKER_BOX and meta["stored_axes"] == "+x-y"


@pytest.mark.parametrize("dtype", ["f4", "f8"])  # read by Pillow and by tifffile
@pytest.mark.parametrize("photometric", ["miniswhite", "minisblack"])
def test_what_is_not_finite_is_black(tmp_path, dtype, photometric):
    pixels = np.where(np.arange(len(GREY))[:, None] < 9, np.nan, GREY).astype(dtype)
    image, _ = read_image(tiff(tmp_path / "i.tif", pixels, photometric=photometric))
    assert not image[:, :9].any() and image[:, 9:].any()


@pytest.mark.parametrize("alpha", [0, 255])
def test_what_is_transparent_is_black(tmp_path, alpha):
    opacity = np.full(GREY.shape, 257 * alpha)
    opacity[:30] = 65535
    pixels = np.stack([stored_grey(16)] * 3 + [opacity], axis=-1).astype("uint16")
    path = tiff(tmp_path / "i.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    expected = np.where(opacity > 0, GREY, 0)
    np.testing.assert_allclose(read_image(path)[0].T, expected, atol=1e-3)
    np.testing.assert_allclose(read_image(png16(tmp_path / "i.png", pixels, 6))[0].T, expected, atol=1e-3)


@pytest.mark.parametrize(("colour_type", "samples"), [(0, 1), (2, 3), (4, 2), (6, 4)])
@pytest.mark.parametrize("bits", [12, 16])
def test_deep_png_of_every_colour_type(tmp_path, colour_type, samples, bits):
    pixels = np.repeat(stored_grey(bits)[..., None], samples, axis=-1)
    if samples in (2, 4):
        pixels[..., -1] = 65535
    image, meta = read_image(png16(tmp_path / "i.png", pixels, colour_type))
    np.testing.assert_allclose(image.T, GREY, atol=1e-3)
    assert len(np.unique(image)) > 256 and ("of the declared range" in meta["warnings"]) is (bits == 12)


def test_deep_colour_is_refused_as_colour(tmp_path):
    pixels = np.zeros((20, 20, 3), "uint16")
    pixels[..., 0] = np.arange(400).reshape(20, 20) * 150
    for path in (tiff(tmp_path / "i.tif", pixels, photometric="rgb"), png16(tmp_path / "i.png", pixels, 2)):
        with pytest.raises(InputError, match="in colour"):
            read_image(path)


def test_what_is_not_supported_is_named(tmp_path):
    cases = [
        (tiff(tmp_path / "complex.tif", GREY.astype("c8")), "pixels of type complex64"),
        (tiff(tmp_path / "pages.tif", np.stack([GREY] * 3), photometric="minisblack"), "holds 3 images"),
        (
            tiff(tmp_path / "five.tif", np.zeros((9, 9, 5), "u4"), photometric="minisblack", planarconfig="contig"),
            "5 samples",
        ),
    ]
    cut = tiff(tmp_path / "cut.tif", GREY)
    cut.write_bytes(cut.read_bytes()[:-100])
    head = tmp_path / "head.tif"
    head.write_bytes(b"MM\0+\0\x08\0\0" + b"\xff" * 40)
    codec = tiff(tmp_path / "codec.tif", stored_grey(12, "uint32"), compression="zlib")
    with tifffile.TiffFile(codec, mode="r+") as file:
        file.pages[0].tags[259].overwrite(34926)  # Zstandard under an old number, which needs imagecodecs
    cases += [(cut, "cut off"), (head, "cannot be read"), (codec, "cannot be read")]
    for path, reason in cases:
        with pytest.raises(InputError, match=reason) as caught:
            read_image(path)
        assert caught.value.action and "\n" not in str(caught.value)


@pytest.mark.fault("a small file claims to hold a huge image", "refused before memory is taken")
def test_a_huge_claim_is_refused_before_memory_is_taken(tmp_path):
    path = tiff(tmp_path / "i.tif", GREY)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[256].overwrite(90000)
        file.pages[0].tags[257].overwrite(90000)
    with pytest.raises(InputError, match="too large"):
        read_image(path)
