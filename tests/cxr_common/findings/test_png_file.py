import numpy as np
import pytest
from PIL import Image

from cxr_common.findings.png_file import save_png


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 3)])
def test_every_pixel_comes_back(tmp_path, size):
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), np.uint8)
    save_png(Image.fromarray(pixels), tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", size)
        image.verify()  # the checksums
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)
