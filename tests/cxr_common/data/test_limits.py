"""What a header declares is bounded before memory is taken, colours and opacity included."""

import resource
import zlib

import pytest
from PIL import Image

from cxr_common.data.limits import MAX_PIXELS, check_size
from cxr_common.errors import InputError
from tests.image_files import read_image


@pytest.mark.parametrize("shape", [(7000, 7000, 1, 2), (7000, 7000, 2, 1), (7000, 7000, 1, 4), (5000, 5000, 4, 2)])
def test_what_may_be_read(shape):
    check_size(shape[0], shape[1], "x", *shape[2:])


@pytest.mark.parametrize("shape", [(9000, 9000, 1, 1), (7000, 7000, 4, 1), (7000, 7000, 1, 8), (7000, 7000, 3, 2)])
def test_what_may_not(shape):
    with pytest.raises(InputError, match="x: the image is too large"):
        check_size(shape[0], shape[1], "x", *shape[2:])


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_large_picture_in_colour_takes_no_memory(tmp_path, mode):
    side = int(MAX_PIXELS**0.5) - 70
    path = tmp_path / "a.png"
    Image.new(mode, (8, 8)).save(path)
    content = bytearray(path.read_bytes())
    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    path.write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="too large"):
        read_image(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB
