"""Hostile and odd headers of MetaImage and NRRD: one error, no other file, no memory; sound ones as ITK reads them."""

import bz2
import gzip
import os
import random
import resource
import zlib

import itk
import numpy as np
import pytest

from cxr_common.data import read_picture
from cxr_common.data.limits import MAX_BYTES
from cxr_common.errors import InputError
from tests.image_files import MARKER_BOX, marker_corner, marker_picture, read_image

pytestmark = pytest.mark.filterwarnings("ignore:builtin type")  # SWIG's, at the import of ITK
PICTURE = marker_picture()
PIXELS = PICTURE.tobytes()
META = (
    "ObjectType = Image\nNDims = {ndims}\nDimSize = 60 40\n{more}ElementType = MET_{kind}\nElementDataFile = {file}\n"
)
NRRD = "NRRD0004\ntype: {kind}\ndimension: {ndims}\nsizes: 60 40\nencoding: {encoding}\n{more}\n"


def meta(data=PIXELS, ndims=2, more="", kind="UCHAR", file="LOCAL"):
    return META.format(ndims=ndims, more=more, kind=kind, file=file).encode("latin-1") + data


def nrrd(data=PIXELS, ndims=2, more="", kind="uchar", encoding="raw"):
    return NRRD.format(ndims=ndims, more=more, kind=kind, encoding=encoding).encode("latin-1") + data


def numbers(picture=PICTURE):
    return "\n".join(" ".join(map(str, row)) for row in picture).encode()


BIG = PICTURE.astype(">u2")
SOUND = {
    "meta.mha": meta(),
    "zlib.mha": meta(
        zlib.compress(PICTURE.tobytes()),
        more=f"CompressedData = True\nCompressedDataSize = {len(zlib.compress(PIXELS))}\n",
    ),
    "big.mha": meta(BIG.tobytes(), more="BinaryData = True\nBinaryDataByteOrderMSB = True\n", kind="USHORT"),
    "raw.nrrd": nrrd(),
    "crlf.nrrd": nrrd().replace(b"\n", b"\r\n", 6),
    "comment.nrrd": nrrd(more="# a: comment\nkey:=value\n"),
    "gzip.nrrd": nrrd(gzip.compress(PICTURE.tobytes()), encoding="gz"),
    "text.nrrd": nrrd(numbers(), encoding="ascii"),
    "hex.nrrd": nrrd(PICTURE.tobytes().hex().encode(), encoding="hex"),
    "big.nrrd": nrrd(BIG.tobytes(), more="endian: big\n", kind="unsigned short"),
    "skip.nrrd": nrrd(b"a\nb\nxyz" + PICTURE.tobytes(), more="line skip: 2\nbyte skip: 3\n"),
    "end.nrrd": nrrd(b"any number of bytes" + PICTURE.tobytes(), more="byte skip: -1\n"),
    "ras.nrrd": nrrd(
        ndims=3, more="space: right-anterior-superior\nspace directions: (-0.2,0,0) (0,-0.3,0) (0,0,1)\n"
    ).replace(b"60 40", b"60 40 1"),
    "lps.nrrd": nrrd(ndims=3, more="space: LPS\nspace directions: (0.2,0,0) (0,0.3,0) (0,0,1)\n").replace(
        b"60 40", b"60 40 1"
    ),
    "spacings.nrrd": nrrd(more="spacings: 0.2 0.3\n"),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_files_are_read_as_itk_reads_them(tmp_path, name):
    (tmp_path / name).write_bytes(SOUND[name])
    image, meta = read_image(tmp_path / name)
    assert marker_corner(image) == MARKER_BOX
    theirs = itk.imread(str(tmp_path / name))
    np.testing.assert_array_equal(np.squeeze(theirs), PICTURE)
    spacing = list(theirs.GetSpacing())[:2]
    assert spacing == [1, 1] if np.isnan(meta["spacing"]).any() else meta["spacing"] == pytest.approx(spacing)


@pytest.mark.parametrize(
    "content",
    [nrrd(bz2.compress(PIXELS), encoding="bzip2"), meta(numbers(), more="BinaryData = False\n")],
    ids=["bzip2", "text"],
)
def test_what_itk_cannot_read(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert marker_corner(read_image(tmp_path / "a")[0]) == MARKER_BOX


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (meta(ndims=-1), "NDims is -1"),
        (meta(ndims=99999), "NDims is 99999"),
        (meta(ndims="2 3"), "NDims is 2 3"),
        (meta(ndims=""), "NDims is empty"),
        (meta(ndims=3), "DimSize is 60 40"),
        (meta(kind="STRING"), "ElementType"),
        (meta(more="ElementSpacing = 1e\n"), "ElementSpacing"),
        (meta(more="ElementNumberOfChannels = 99999\n"), "60 x 40 pixels of 99999"),
        (meta(more="HeaderSize = -7\n"), "HeaderSize"),
        (meta(more="HeaderSize = 9999999\n"), "0 of 2400 bytes"),
        (meta(more="CompressedData = True\n"), "compressed pixels are damaged"),
        (meta(b"1 2 x", more="BinaryData = False\n"), "damaged or cut off"),
        (meta(file="LIST"), "in several files"),
        (meta(file="%03d.raw 1 2 1"), "in several files"),
        (meta()[:60], "names no ElementDataFile"),
        (nrrd(ndims=-2), "dimension is -2"),
        (nrrd(ndims=3), "sizes is 60 40"),
        (nrrd(kind="block"), "type is block"),
        (nrrd(encoding="zip"), "encoding is zip"),
        (nrrd(more="endian: \xff\xff\n"), "endian is"),
        (nrrd(more="data file: LIST\nnone.raw\n"), "in several files"),
        (nrrd(more="data file: a%d.raw 1 9 1\n"), "in several files"),
        (nrrd(more="line skip: 99999999\n"), "line skip"),
        (nrrd(more="byte skip: 9999999999\n"), "byte skip"),
        (nrrd(more="space directions: (1,0\n"), "space directions"),
        (nrrd(b"zz", encoding="hex"), "damaged or cut off"),
        (nrrd(b"\x1f\x8b\x08" + b"\0" * 90, encoding="gzip"), "compressed pixels are damaged"),
        (nrrd().replace(b"60 40", b"60 -40"), "has no pixels"),
        (meta(more="DimSize = 40 60\n"), "DimSize twice: 60 40, 40 60"),
        (nrrd(more="type: int8\n"), "type twice: uchar, int8"),
        (meta(numbers()[:-3], more="BinaryData = False\n"), "2399 of 2400 numbers"),
        (nrrd(numbers().replace(b"63", b"300", 1), encoding="ascii"), "300 is no uint8"),
        (nrrd(numbers().replace(b"63", b"-1", 1), encoding="ascii"), "-1 is no uint8"),
        (nrrd(numbers().replace(b"63", b"nan", 1), encoding="ascii"), "nan is no uint8"),
        (nrrd(numbers().replace(b"63", b"6.3", 1), encoding="ascii"), "6.3 is no uint8"),
        (nrrd(numbers().replace(b"63", b"18446744073709551616", 1), kind="uint64", encoding="ascii"), "is no uint64"),
        (nrrd(gzip.compress(PIXELS)[:-2], encoding="gzip"), "compressed pixels are damaged"),
        (nrrd(gzip.compress(PIXELS)[:-8] + bytes(8), encoding="gzip"), "compressed pixels are damaged"),
        (nrrd(bz2.compress(PIXELS)[:-2], encoding="bzip2"), "compressed pixels are damaged"),
        (meta(zlib.compress(PIXELS)[:-2], more="CompressedData = True\n"), "compressed pixels are damaged"),
    ],
)
def test_damaged_headers(tmp_path, content, reason, capfd):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_image(tmp_path / "a")
    assert capfd.readouterr() == ("", "")


MORE = PIXELS + b"more"


@pytest.mark.parametrize(
    "content",
    [
        meta(MORE),
        nrrd(MORE),
        meta(zlib.compress(MORE), more="CompressedData = True\n"),
        nrrd(gzip.compress(MORE), encoding="gzip"),
        nrrd(bz2.compress(MORE), encoding="bzip2"),
        nrrd(MORE.hex().encode(), encoding="hex"),
        nrrd(numbers() + b" 7", encoding="ascii"),
        nrrd() + nrrd(),
    ],
    ids=["mha", "nrrd", "zlib", "gzip", "bzip2", "hex", "ascii", "twice"],
)
def test_a_file_that_goes_on_is_warned_of(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    image, meta = read_image(tmp_path / "a")
    assert marker_corner(image) == MARKER_BOX
    assert "goes on after the last pixel" in meta["warnings"]


@pytest.mark.parametrize(
    "content", [meta(), nrrd(numbers(), encoding="ascii"), nrrd(PIXELS.hex().encode(), encoding="hex")]
)
def test_a_whole_file_is_not_warned_of(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    assert read_image(tmp_path / "a")[1]["warnings"] == ""


@pytest.mark.parametrize(("encoding", "compress"), [("gzip", gzip.compress), ("bzip2", bz2.compress)])
def test_pixels_in_several_compressed_parts(tmp_path, encoding, compress):
    (tmp_path / "a").write_bytes(nrrd(compress(PIXELS[:1000]) + compress(PIXELS[1000:]), encoding=encoding))
    image, meta = read_image(tmp_path / "a")
    assert marker_corner(image) == MARKER_BOX
    assert meta["warnings"] == ""


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("write", [meta, nrrd])
def test_data_files_of_any_name(tmp_path, write, encoding):
    os.makedirs(tmp_path / "in")
    (tmp_path / "in" / "röntgen.raw").write_bytes(PIXELS)
    named = {"file": "NAME"} if write is meta else {"more": "data file: NAME\n"}
    (tmp_path / "in" / "a.mhd").write_bytes(write(b"", **named).replace(b"NAME", "röntgen.raw".encode(encoding)))
    assert marker_corner(read_image(tmp_path / "in" / "a.mhd")[0]) == MARKER_BOX


@pytest.mark.parametrize(("spacings", "unknown"), [("nan nan", ""), ("0.2 nan", ""), ("-0.2 0.2", "cannot be true")])
def test_spacings_that_are_none(tmp_path, spacings, unknown):
    (tmp_path / "a.nrrd").write_bytes(nrrd(more=f"spacings: {spacings}\n"))
    image, meta = read_image(tmp_path / "a.nrrd")
    assert marker_corner(image) == MARKER_BOX  # a negative one is no mirrored picture
    assert np.isnan(meta["spacing"]).all()
    assert unknown in meta["warnings"]


def test_components_first_without_orientation(tmp_path):
    content = nrrd(np.repeat(PICTURE[..., None], 3, -1).tobytes(), ndims=3, more="spacings: nan 0.2 0.3\n")
    (tmp_path / "a.nrrd").write_bytes(content.replace(b"60 40", b"3 60 40"))
    image, meta = read_image(tmp_path / "a.nrrd")
    assert marker_corner(image) == MARKER_BOX
    assert meta["spacing"] == pytest.approx([0.2, 0.3])


@pytest.mark.fault("a header names pixels in another folder", "refused in one line")
@pytest.mark.parametrize(
    "name", ["../outside.raw", "{root}/outside.raw", "link.raw", "..", ".", "sub", "sub/in.raw", "a\\b", ""]
)
@pytest.mark.parametrize("write", ["mhd", "nhdr"])
def test_pixels_are_in_a_plain_file_beside_their_header(tmp_path, name, write):
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for path in (tmp_path / "outside.raw", folder / "sub" / "in.raw"):
        path.write_bytes(PICTURE.tobytes())
    (folder / "link.raw").symlink_to(tmp_path / "outside.raw")
    name = name.format(root=tmp_path)
    content = meta(b"", file=name) if write == "mhd" else nrrd(b"", more=f"data file: {name}\n")
    (folder / f"a.{write}").write_bytes(content)
    with pytest.raises(InputError, match="not a plain file name|is a link or not a file|follow|names no"):
        read_image(folder / f"a.{write}")


@pytest.mark.parametrize("suffix", ["mhd", "nhdr"])
def test_a_linked_header_has_its_pixels_beside_the_file_itself(tmp_path, suffix):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "a.raw").write_bytes(PICTURE.tobytes())
    content = meta(b"", file="a.raw") if suffix == "mhd" else nrrd(b"", more="data file: a.raw\n")
    (tmp_path / "there" / f"a.{suffix}").write_bytes(content)
    (tmp_path / f"b.{suffix}").symlink_to(tmp_path / "there" / f"a.{suffix}")
    assert marker_corner(read_image(tmp_path / f"b.{suffix}")[0]) == MARKER_BOX


@pytest.mark.fault("compressed pixels inflate without end", "read no further than the header declares")
@pytest.mark.parametrize("encoding", ["zlib", "gzip", "bzip2"])
def test_inflation_ends_at_the_declared_size(tmp_path, encoding):
    zeros = bytes(MAX_BYTES // 2)
    if encoding == "zlib":
        content = meta(zlib.compress(zeros), more="CompressedData = True\n")
    else:
        content = nrrd((gzip.compress if encoding == "gzip" else bz2.compress)(zeros), encoding=encoding)
    (tmp_path / "a").write_bytes(content)
    del zeros, content
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert read_picture(tmp_path / "a").shape == (60, 40)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kB


def test_mutated_headers_are_read_or_refused(tmp_path):
    draw = random.Random(0)
    for _ in range(1500):
        content = bytearray(SOUND[draw.choice(sorted(SOUND))])
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(min(len(content), 160))
            content[at : at + draw.randint(0, 3)] = bytes(draw.choices(b"\0\n -19:=%/.\xff", k=draw.randint(0, 3)))
        (tmp_path / "a").write_bytes(content)
        try:
            read_picture(tmp_path / "a")
        except InputError:
            continue
    assert os.listdir(tmp_path) == ["a"]
