from __future__ import annotations

import gzip

import numpy as np
import pytest
from PIL import Image

from tools.image_cues.features import (
    HEIGHT,
    SPACING,
    WIDTH,
    edge_features,
    jpeg_size,
    picture_features,
    read_nih_table,
    table_features,
)

SETTINGS = {"detectors": [0.143, 0.168], "margin": 32, "corner": 64, "quality": 92}
TABLE = f"""Image Index,Finding Labels,Follow-up #,Patient ID,View Position,{WIDTH},{HEIGHT},{SPACING},y]
00000001_000.png,Pneumonia|Edema,0,1,PA,2500,2048,0.168,0.168
00000002_005.png,No Finding,5,2,AP,2682,2749,0.14300000000000002,0.14300000000000002
"""


def test_what_nihs_table_says(tmp_path):
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(TABLE.encode()))
    table = read_nih_table(path)
    assert list(table) == ["00000001_000", "00000002_005"]
    found = table_features([*table.values()], SETTINGS)
    assert found["view"].tolist() == [[1], [0]]
    assert found["visit"] == pytest.approx(np.log([[1], [6]]))
    assert found["detector"].tolist() == [[0, 1, 1], [1, 0, 0]]


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (512, 512)).astype(float)


def test_the_edge_does_not_see_the_inside():
    grey, other = noise(), noise(1)
    edge = np.ones((512, 512), bool)
    edge[32:-32, 64:-64] = edge[64:-64, 32:-32] = False
    same_edge = np.where(edge, grey, other)
    before, after = edge_features(grey, 32, 64), edge_features(same_edge, 32, 64)
    changed = edge_features(np.where(edge, other, grey), 32, 64)
    for name in before:
        assert np.array_equal(before[name], after[name])
        assert not np.allclose(before[name], changed[name])


def test_blocks_and_spectrum_tell_what_they_are_named_for():
    flat = np.full((512, 512), 100.0)
    blocky = flat + 20 * ((np.arange(512)[:, None] // 8 + np.arange(512) // 8) % 2)
    assert np.all(edge_features(blocky, 32, 64)["blocks"] > 3)
    assert np.allclose(edge_features(flat, 32, 64)["blocks"], 0)
    fine = flat + 20 * (-1.0) ** (np.arange(512)[:, None] + np.arange(512))
    slow = flat + 20 * np.sin(np.arange(512) / 8)
    assert edge_features(fine, 32, 64)["spectrum"].argmax() == 5
    assert edge_features(slow, 32, 64)["spectrum"].argmax() == 0


def test_the_size_of_a_file_does_not_depend_on_its_format(tmp_path):
    smooth = np.add.outer(np.arange(512), np.arange(512)) / 4
    pictures = {name: Image.fromarray(a.astype(np.uint8)) for name, a in (("smooth", smooth), ("noise", noise()))}
    paths = []
    for name, picture in pictures.items():
        for suffix in ("png", "bmp"):
            paths.append(str(tmp_path / f"{name}.{suffix}"))
            picture.save(paths[-1])
    found = picture_features(paths, SETTINGS)
    size = found["size"][:, 0]
    assert size[0] == size[1] < size[2] == size[3] == np.log(jpeg_size(pictures["noise"], 92))
    assert found["tone"][2] == pytest.approx([noise().mean(), noise().std()])
    assert found["grey"].shape == (4, 10) and found["corners"].shape == (4, 12)
