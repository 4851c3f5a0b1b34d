"""A DICOM file that inflates, or is parsed, without end is refused early; sound ones are read as before."""

import resource
import struct
import time
import zlib

import numpy as np
import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword

from cxr_common.data import read_picture
from cxr_common.data.dicom_file import MAX_READS, read_dataset
from cxr_common.data.limits import MAX_BYTES
from cxr_common.errors import InputError
from tests.image_files import (
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    MARKER_BOX,
    marker_corner,
    marker_picture,
    read_image,
    write_dicom,
)

PICTURE = marker_picture(dtype="uint16")


def deflated(path, tail):
    """A deflated file whose dataset is `tail`, bytes or an iterable of them."""
    whole = write_dicom(path, PICTURE, DEFLATED).read_bytes()
    start = 132 + 12 + struct.unpack("<I", whole[140:144])[0]
    compressor = zlib.compressobj(9, wbits=-15)
    parts = [compressor.compress(part) for part in tail]
    path.write_bytes(whole[:start] + b"".join(parts) + compressor.flush())
    return path


def element(group, number, vr, value):
    if vr in (b"OB", b"OW", b"SQ", b"UN"):
        return struct.pack("<HH2sHI", group, number, vr, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def test_a_deflated_file_is_as_its_explicit_twin(tmp_path):
    image, meta = read_image(write_dicom(tmp_path / "a.dcm", PICTURE, DEFLATED))
    np.testing.assert_array_equal(image, read_image(write_dicom(tmp_path / "b.dcm", PICTURE, EXPLICIT))[0])
    assert marker_corner(image) == MARKER_BOX
    assert meta["transfer_syntax_uid"] == DEFLATED


def test_inflation_has_a_limit(tmp_path):
    zeros = (bytes(1 << 20) for _ in range(MAX_BYTES // (1 << 20) * 2))
    path = deflated(tmp_path / "a.dcm", zeros)
    assert path.stat().st_size < 2_000_000
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="inflates to over"):
        read_picture(path)
    assert time.process_time() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * MAX_BYTES // 1024


@pytest.mark.parametrize("nested", [False, True])
def test_parsing_has_a_limit(tmp_path, nested):
    one = element(0x0009, 0x1000, b"LO", b"")
    many = (one * 100_000 for _ in range(20))
    if nested:
        item = b"\xfe\xff\x00\xe0\0\0\0\0"
        many = [struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF), *(item * 100_000 for _ in range(20))]
    start = time.process_time()
    with pytest.raises(InputError, match=f"over {MAX_READS // 2:,} elements"):
        read_picture(deflated(tmp_path / "a.dcm", many))
    assert time.process_time() - start < 10


@pytest.mark.parametrize("keyword", ["Rows", "ViewPosition", "WindowCenter", "VOILUTSequence"])
def test_endless_values_are_ignored(tmp_path, keyword):
    vr, tag = dictionary_VR(keyword), tag_for_keyword(keyword)
    dataset = read_dataset(write_dicom(tmp_path / "a.dcm", PICTURE))
    if keyword in dataset:
        del dataset[keyword]
    content = {"US": b"\1\0", "SQ": b"\xfe\xff\x00\xe0\0\0\0\0"}.get(vr, b"1\\") * (4 << 20)
    dataset.add_new(tag, "UN", content)
    dataset.file_meta.TransferSyntaxUID = IMPLICIT  # whose elements have no VR that limits their length
    dataset.save_as(tmp_path / "b.dcm")
    start = time.process_time()
    if keyword == "Rows":
        with pytest.raises(InputError, match="Rows is missing"):
            read_image(tmp_path / "b.dcm")
    else:
        image, meta = read_image(tmp_path / "b.dcm")
        assert marker_corner(image) == MARKER_BOX
        assert f"{keyword} is too long and is ignored" in meta["warnings"]
    assert time.process_time() - start < 3
