from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.label_map import VOID, read_label_map, voc_palette, write_label_map
from cxr_common.errors import InputError
from tests.golden import SHARED, needs_radiographs

#: A picture of 3 rows and 4 columns.
PICTURE = np.array([[0, 0, 0, 2], [0, 1, 1, 2], [0, 255, 1, 0]], np.uint8)


@pytest.mark.parametrize("mode", ["P", "L"])
def test_numbers_are_read_not_colours(tmp_path, mode):
    image = Image.fromarray(PICTURE)
    if mode == "P":
        image.putpalette(np.random.default_rng(0).integers(0, 256, 768, dtype=np.uint8).tobytes())
    image.save(tmp_path / "a.png")
    label_map = read_label_map(tmp_path / "a.png", 2)
    assert (label_map == PICTURE.T).all()
    assert label_map[3, 0] == 2  # the top right corner
    assert label_map.dtype == np.uint8


def test_written_and_read_again(tmp_path):
    write_label_map(PICTURE.T, tmp_path / "a.png")
    assert (read_label_map(tmp_path / "a.png", 2) == PICTURE.T).all()
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert image.convert("RGB").getpixel((1, 1)) == (128, 0, 0)  # class 1 of VOC is dark red
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_faults_are_named(tmp_path):
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="holds the value 2; classes are 1 to 1"):
        read_label_map(tmp_path / "a.png", 1)
    Image.new("RGB", (4, 3)).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match="kind RGB"):
        read_label_map(tmp_path / "colour.png", 20)
    with pytest.raises(InputError, match="no such file"):
        read_label_map(tmp_path / "gone.png", 20)
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(InputError, match="unknown kind"):
        read_label_map(tmp_path / "text.png", 20)
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:50])
    with pytest.raises(InputError, match="damaged"):
        read_label_map(tmp_path / "cut.png", 20)


@needs_radiographs
def test_genuine_masks():
    """60 masks of SegmentationClassAug: their classes, void, and the palette of VOC."""
    paths = sorted((SHARED / "cxr" / "annotations" / "voc").glob("*.png"))
    assert len(paths) == 60
    for path in paths:
        label_map = read_label_map(path, 20)
        with Image.open(path) as image:
            assert label_map.shape == image.size
            assert np.array_equal(np.reshape(image.getpalette(), (256, 3)), voc_palette())
        values = set(np.unique(label_map).tolist())
        assert VOID in values
        assert values & set(range(1, 21))
    with Image.open(paths[0]) as image:  # every pixel's colour is that of its number
        colours = np.asarray(image.convert("RGB")).swapaxes(0, 1)
    assert np.array_equal(voc_palette()[read_label_map(paths[0], 20)], colours)
    # VOC's 2007_000032 shows aeroplanes and people, 2007_000042 a train.
    assert set(np.unique(read_label_map(paths[0], 20)).tolist()) == {0, 1, 15, VOID}
    assert set(np.unique(read_label_map(paths[3], 20)).tolist()) == {0, 19, VOID}
