"""The page of a small data set with every kind of trouble in it, and of one without."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

from cxr_common.data.phantom import PhantomConfig, make_phantom
from cxr_tools.prepare.__main__ import main
from cxr_tools.prepare.look.cautions import co_occurrence
from cxr_tools.prepare.look.sheet import NOTHING, choose

LABELS = ["Mass", "Nodule"]


@pytest.fixture(scope="module")
def pictures():
    """Two upright frontal chests."""
    phantoms = [make_phantom(5, index, PhantomConfig(size=256)) for index in (0, 1)]
    return [(np.asarray(phantom.image) * 255).round().astype(np.uint8) for phantom in phantoms]


@pytest.fixture
def root(tmp_path, pictures):
    for name, picture in zip("ab", pictures):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    return tmp_path


def write(root, **sections):
    data = {"labels": LABELS, "training": [], "validation": [], "testing": [], **sections}
    (root / "datalist.json").write_text(json.dumps(data), encoding="utf-8")
    return root / "datalist.json"


def test_a_page_of_pictures_and_counts(root, capsys):
    Image.fromarray(np.uint8(255 * np.eye(8))).resize(Image.open(root / "b.png").size).save(root / "mask.png")
    items = [
        {
            "image": "a.png",
            "patient": "p1",
            "label": [1, -1],
            "boxes": [[10, 10, 60, 80]],
            "box_labels": [0],
            "view": "PA",
        },
        {"image": "b.png", "patient": "<p2>", "label": [0, None], "mask": {"Nodule": "mask.png"}},
    ]
    path = write(root, training=items[:1], testing=items[1:])
    assert main(["look", str(path)]) == 0
    page = (root / "datalist.html").read_text(encoding="utf-8")
    assert len(re.findall("<img ", page)) == 2 and "&lt;p2&gt;" in page and "<p2>" not in page
    assert "<strong>1</strong> / 0 / 0 / 0" in page and "uncertain: Nodule" in page and "no finding" in page
    assert "nothing to warn of" in capsys.readouterr().out and "Nothing to warn of" in page


def test_every_kind_of_trouble(root, capsys, pictures):
    (root / "copy.png").write_bytes((root / "a.png").read_bytes())
    Image.fromarray(pictures[1]).resize((200, 200)).save(root / "near.png")
    Image.fromarray(np.full((90, 90), 9, np.uint8)).save(root / "flat.png")
    (root / "broken.png").write_bytes(b"?")
    training = [{"image": "a.png", "view": "PA"}, {"image": "b.png", "view": "AP", "boxes": [[0, 0, 9999, 9]]}]
    training[1]["box_labels"] = [0]
    testing = [{"image": name} for name in ("copy.png", "near.png", "flat.png", "broken.png")]
    testing[1]["view"] = "LATERAL"
    assert main(["look", str(write(root, training=training, testing=testing)), "--output", str(root / "p.html")]) == 0
    printed = capsys.readouterr().out
    page = (root / "p.html").read_text(encoding="utf-8")
    for text in (
        "training: a.png = testing: copy.png",
        "training: b.png ~ testing: near.png (",
        "testing: flat.png</li>",
        "testing: broken.png: ",
        "testing: near.png</li>",
        "training: b.png: [0, 0, 9999, 9]",
    ):
        assert text in page
    for kind in ("Cannot be read", "The same file", "Nearly the same", "Constant", "Laterals", "Boxes outside"):
        assert f"1 x {kind}" in printed


def test_masks_that_do_not_fit(root, capsys):
    Image.fromarray(np.zeros((5, 7), np.uint8)).save(root / "small.png")
    (root / "broken.png").write_bytes(b"?")
    masks = {"Mass": "small.png", "Nodule": "nowhere.png"}
    items = [{"image": "a.png", "label": [1, 1], "mask": masks}, {"image": "b.png", "mask": {"Mass": "broken.png"}}]
    assert main(["look", str(write(root, training=items))]) == 0
    assert "3 x Masks that are missing, unreadable or of another size" in capsys.readouterr().out
    page = (root / "datalist.html").read_text(encoding="utf-8")
    for text in (
        "small.png has 7 x 5 pixels, the image 256 x 256",
        "no such file: nowhere.png",
        "broken.png cannot be",
    ):
        assert f"training: {'b' if 'broken' in text else 'a'}.png: {text}" in page
    assert len(re.findall("<img ", page)) == 3


def test_a_root_that_is_a_link(root, tmp_path_factory, capsys):
    (folder := tmp_path_factory.mktemp("other")).joinpath("masks").mkdir()
    Image.fromarray(np.uint8(255 * np.eye(256))).save(folder / "masks" / "m.png")
    (folder / "root").symlink_to(root)
    data = {"labels": LABELS, "outside": True, "training": [{"image": "a.png", "mask": {"Mass": "../masks/m.png"}}]}
    (folder / "datalist.json").write_text(json.dumps(data), encoding="utf-8")
    assert main(["look", str(folder / "datalist.json"), "--root", str(folder / "root")]) == 0
    assert "nothing to warn of" in capsys.readouterr().out


def test_bad_input(root, capsys):
    assert main(["look", str(write(root))]) == 1 and "holds no image" in capsys.readouterr().err
    path = write(root, training=[{"image": "a.png"}])
    assert main(["look", str(path), "--limit", "0"]) == 1 and "--limit: is 0; give" in capsys.readouterr().err


def test_images_with_boxes_of_the_class_come_first():
    items = [{"image": str(n), "label": [int(n % 2 == 0), 0]} for n in range(20)]
    items[13] |= {"boxes": [[0, 0, 1, 1]], "box_labels": [0]}
    entries = [("training", item) for item in items]
    chosen = choose(entries, LABELS, "training", 3)
    assert 13 in chosen["Mass"] and len(chosen["Mass"]) == 3 and "Nodule" not in chosen
    assert chosen[NOTHING] == [1, 9, 19] or len(chosen[NOTHING]) == 3
    assert choose(entries, LABELS, "testing", 3) == {}


def test_labels_together():
    entries = [("training", {"label": label}) for label in ([1, 1], [1, 0], [0, -1], [None, 1])] + [("testing", {})]
    assert co_occurrence(entries, LABELS) == [[2, 1], [1, 2]]
