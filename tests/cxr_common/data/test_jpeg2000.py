"""Codestreams that are not whole, and those that only look unusual."""

import numpy as np
import pytest
from openjpeg.utils import encode_array
from pydicom.encaps import encapsulate

from cxr_common.data.jpeg2000 import fault_of_jpeg2000
from cxr_common.errors import InputError
from tests.image_files import JPEG_2000_LOSSLESS, grey_picture, read_image, stored_grey, write_dicom


def encoded(picture, **options):
    return bytes(encode_array(picture, bits_stored=12, photometric_interpretation=2, **options))


WHOLE = encoded(stored_grey(12))
NOISE = encoded(np.random.default_rng(0).integers(0, 4096, (90, 60)).astype("uint16"))
#: Where the size of a tile stands: the numbers of the size segment follow its marker, length and capabilities.
TILE = 24


def zeroed(stream, start, count):
    return stream[:start] + bytes(count) + stream[start + count :]


def of_tiles(stream, side):
    return stream[:TILE] + side.to_bytes(4, "big") * 2 + stream[TILE + 8 :]


@pytest.mark.parametrize(
    "stream",
    [
        WHOLE,
        NOISE,
        encoded(np.zeros((300, 200), "uint16")),
        encoded(np.full((300, 200), 1234, "uint16")),
        encoded(stored_grey(12), compression_ratios=[8, 4, 1]),
    ],
)
def test_whole_codestreams(stream):
    assert fault_of_jpeg2000(stream) == ""


FAULTS = [
    (of_tiles(WHOLE, 1), "1 of 5,400 tiles"),
    (of_tiles(WHOLE, 40), "1 of 6 tiles"),
    (of_tiles(WHOLE, 0), "claims 0 tiles"),
    (zeroed(WHOLE, len(WHOLE) // 2, 800), "bytes of it are zeros"),
    (WHOLE[: len(WHOLE) // 2] + b"\xff\xd9", "0 of 1 tiles"),
    (zeroed(NOISE, len(NOISE) - 2000, 1990), "bytes of it are zeros"),
    (WHOLE[:2] + b"\0\0" + WHOLE[4:], "header is damaged"),
]


@pytest.mark.parametrize(("stream", "said"), FAULTS)
def test_damage_is_told(stream, said):
    assert said in fault_of_jpeg2000(stream)


@pytest.mark.parametrize(("stream", "said"), FAULTS[:-2])
def test_a_damaged_frame_is_refused(tmp_path, stream, said):
    path = write_dicom(
        tmp_path / "a.dcm", stored_grey(12), JPEG_2000_LOSSLESS, PixelData=encapsulate([stream]), BitsStored=12
    )
    with pytest.raises(InputError, match=said):
        read_image(path)


def test_the_picture_of_a_whole_frame(tmp_path):
    path = write_dicom(
        tmp_path / "a.dcm", stored_grey(12), JPEG_2000_LOSSLESS, PixelData=encapsulate([WHOLE]), BitsStored=12
    )
    assert np.abs(read_image(path)[0].T - grey_picture()).max() < 0.001
