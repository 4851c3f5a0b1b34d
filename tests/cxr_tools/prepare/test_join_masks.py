from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.datalist_io import declare_outside
from cxr_common.data.datalist_validation import validate_datalist
from cxr_common.data.masks import read_mask
from cxr_common.errors import InputError
from cxr_tools.prepare.__main__ import main
from cxr_tools.prepare.from_tables import datalist_from_tables
from cxr_tools.prepare.join_masks import join_masks
from cxr_tools.prepare.mapping import parse_mapping
from tests.golden import SHARED, needs_radiographs


def save(path, columns, size=(8, 6)):
    mask = np.zeros(size[::-1], np.uint8)
    mask[:, columns] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)


def test_several_masks_of_a_class_become_their_union(root, mapping):
    save(root / "masks" / "1.png", slice(0, 2))
    save(root / "masks" / "2.png", slice(5, 8))
    (root / "masks.csv").write_text("case,kind,png\nc1,Mass,masks/1.png\nc1,Mass,\nc1,Mass,masks/2.png\nc3,Mass,\n")
    mapping["masks"]["join"] = True
    data = datalist_from_tables(parse_mapping(mapping), root)
    folder = root.parent / "elsewhere" / "joined"
    assert join_masks(data, root, folder) == 1
    [item] = data["training"]
    union = read_mask(root / item["mask"]["Mass"])
    assert union.any(axis=1).tolist() == [True, True, False, False, False, True, True, True]
    assert [p.name for p in folder.iterdir()] == ["images_1_Mass.png"]
    [third] = [item for item in data["testing"] if "mask" in item]
    assert third["mask"] == {"Mass": None}


def test_a_root_that_is_a_link_is_found_again(root, mapping, tmp_path_factory):
    save(root / "masks" / "1.png", slice(0, 2))
    save(root / "masks" / "2.png", slice(5, 8))
    (root / "masks.csv").write_text("case,kind,png\nc1,Mass,masks/1.png\nc1,Mass,masks/2.png\nc3,Mass,\n")
    link = tmp_path_factory.mktemp("deep") / "a" / "link"
    link.parent.mkdir()
    link.symlink_to(root)
    mapping["masks"]["join"] = True
    data = datalist_from_tables(parse_mapping(mapping), link)
    join_masks(data, link, tmp_path_factory.mktemp("out"))
    assert validate_datalist(declare_outside(data), link) == []


def test_masks_of_different_sizes_are_refused(tmp_path):
    save(tmp_path / "a.png", slice(0, 2))
    save(tmp_path / "b.png", slice(0, 2), (9, 6))
    item = {"image": "x.png", "mask": {"Mass": ["a.png", "b.png"]}}
    data = {"training": [item], "validation": [], "testing": []}
    with pytest.raises(InputError, match="another size .8 x 6 and 9 x 6 pixels."):
        join_masks(data, tmp_path, tmp_path / "joined")
    assert not list(tmp_path.rglob("*.tmp"))


@needs_radiographs
def test_real_opacity_is_consolidation_or_ground_glass(tmp_path):
    root, output = SHARED / "cxr", tmp_path / "opacity.json"
    assert main(["csv", "--mapping", "shared_cxr_opacity", "--root", str(root), "--output", str(output)]) == 0
    items = json.loads(output.read_text())["testing"]
    assert len(items) == 31
    made = [item for item in items if ".." in item["mask"]["Opacity"]]
    assert len(made) == 10  # the others have one mask, which is named as it is
    for item in items:
        assert read_mask(root / item["mask"]["Opacity"]).any()
