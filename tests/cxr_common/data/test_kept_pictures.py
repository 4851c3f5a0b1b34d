import threading

import numpy as np
import pytest
from PIL import Image

from cxr_common.data import RadiographReader, read_picture
from cxr_common.data.kept_pictures import eight_bits, keeping_pictures
from tests.image_files import marker_picture


@pytest.fixture
def files(tmp_path):
    Image.fromarray(marker_picture()).save(tmp_path / "a.png")
    Image.fromarray(marker_picture()).rotate(90, expand=True).save(tmp_path / "c.png")
    return [tmp_path / name for name in ("a.png", "c.png")]


def test_what_is_read_is_kept_in_256_greys(files):
    with keeping_pictures() as kept:
        read = {str(path): read_picture(path) for path in files}
    assert kept.keys() == read.keys()
    for path, picture in read.items():
        assert kept[path].dtype == np.uint8
        assert np.array_equal(kept[path], (picture * 255).round().astype(np.uint8))
    read_picture(files[0])  # nobody asks any more
    assert len(kept) == 2


def test_other_threads_keep_nothing_here(files):
    with keeping_pictures() as kept:
        other = threading.Thread(target=read_picture, args=(files[0],))
        other.start()
        other.join()
    assert kept == {}


def test_colour_is_not_kept(tmp_path):
    colour = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)
    Image.fromarray(colour).save(tmp_path / "a.png")
    reader = RadiographReader(channels=3)
    with keeping_pictures() as kept:
        reader.get_data(reader.read(tmp_path / "a.png"))
    assert kept == {}


def test_eight_bits_are_rounded_and_stay_in_range():
    picture = np.array([[-0.5, 0, 0.4999 / 255], [0.5001 / 255, 1, 2]], np.float32)
    assert eight_bits(picture).tolist() == [[0, 0, 0], [1, 255, 255]]
    assert eight_bits(picture.T).flags.f_contiguous
    grey = eight_bits(picture)
    assert eight_bits(grey) is grey
