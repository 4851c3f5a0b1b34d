"""PASCAL VOC's format to a datalist: made data, and the genuine files of ../shared."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.data import load_datalist, read_datalist
from cxr_common.data.label_map import VOID, read_label_map
from cxr_common.data.masks import load_masks
from cxr_tools.prepare.__main__ import main
from cxr_tools.prepare.voc_files import VOC_CLASSES
from tests.golden import SHARED, needs_radiographs
from tests.voc_files import BUS, NAMES, SHEEP, annotation, extent, make_voc


@pytest.fixture
def voc(tmp_path):
    return tmp_path / "voc", make_voc(tmp_path / "voc")


def prepare(root, output, *options):
    return main(["voc", "--root", str(root), "--output", str(output), *options])


def test_lists_labels_boxes_masks_and_void(voc, tmp_path, capsys):
    root, label_maps = voc
    output = tmp_path / "data" / "datalist.json"
    assert prepare(root, output) == 0
    assert "bus          4 / 0 / 0 / 0" in capsys.readouterr().out
    data = read_datalist(output)
    assert data["labels"] == list(VOC_CLASSES)
    assert data["labels"][BUS - 1] == "bus"
    assert {s: len(data[s]) for s in ("training", "validation", "testing")} == {
        "training": 4,
        "validation": 2,
        "testing": 0,
    }
    assert data["training"][0]["image"] == "../voc/JPEGImages/2099_000000.jpg"
    assert data["training"][0]["label_map"] == "../voc/SegmentationClass/2099_000000.png"
    for name, item in zip(label_maps, load_datalist(output)):
        picture = label_maps[name]
        present = [v for v in (BUS, SHEEP) if (picture == v).any()]
        assert item["label"] == [int(c + 1 in present) for c in range(20)]
        assert item["box_labels"] == [v - 1 for v in present]
        assert item["boxes"] == [extent(picture == v) for v in present]
        assert item["mask_origin"] == "expert"
        masks = load_masks(item, VOC_CLASSES, picture.shape[::-1])
        for c, mask in enumerate(masks):
            assert np.array_equal(mask, (picture == c + 1).T)
        label_map = read_label_map(item["label_map"], 20)
        assert np.array_equal(label_map, picture.T)
        assert (label_map == VOID).any()


def test_lists_may_be_chosen_and_hold_paths(voc, tmp_path):
    root, label_maps = voc
    names = list(label_maps)
    lines = [f"/JPEGImages/{n}.jpg /SegmentationClassAug/{n}.png" for n in (names[5], names[1], names[5])]
    (root / "ImageSets" / "Segmentation" / "trainaug.txt").write_text("\n".join(lines) + "\n\n")
    assert prepare(root, tmp_path / "d.json", "--list", "training=trainaug", "--list", "testing=val") == 1
    assert prepare(root, tmp_path / "d.json", "--list", "testing=trainaug") == 0
    data = read_datalist(tmp_path / "d.json")
    assert [i["image"][-10:] for i in data["testing"]] == ["000005.jpg", "000001.jpg"]
    assert data["training"] == []


def test_without_lists_all_images_go_somewhere(voc, tmp_path):
    root, _ = voc
    assert prepare(root, tmp_path / "d.json", "--section", "validation") == 0
    assert len(read_datalist(tmp_path / "d.json")["validation"]) == 6
    assert prepare(root, tmp_path / "d.json", "--fractions", "0.34,0.17") == 0
    data = read_datalist(tmp_path / "d.json")
    assert [len(data[s]) for s in ("training", "validation", "testing")] == [3, 2, 1]
    for path in (root / "ImageSets" / "Segmentation").iterdir():
        path.unlink()
    (root / "ImageSets" / "Segmentation").rmdir()
    assert prepare(root, tmp_path / "e.json", "--fractions", "0.34,0.17") == 0
    assert read_datalist(tmp_path / "e.json") == data
    assert prepare(root, tmp_path / "e.json") == 0
    assert len(read_datalist(tmp_path / "e.json")["training"]) == 4


def test_what_is_not_annotated_stays_so(voc, tmp_path, capsys):
    root, label_maps = voc
    names = list(label_maps)
    (root / "Annotations" / f"{names[0]}.xml").unlink()
    (root / "SegmentationClass" / f"{names[1]}.png").unlink()
    (root / "Annotations" / f"{names[3]}.xml").write_text(annotation(87, 76, {BUS: [8, 20, 30, 40]}))
    assert prepare(root, tmp_path / "d.json") == 0
    first, second, _, fourth = read_datalist(tmp_path / "d.json")["training"]
    assert "boxes" not in first
    assert first["label"][BUS - 1] == 1 == sum(first["label"])  # from the label map
    assert not {"mask", "mask_origin", "label_map"} & set(second)
    assert second["label"][SHEEP - 1] == 1
    assert fourth["label"][SHEEP - 1] == 0  # the XML's word counts
    assert fourth["mask"]["sheep"] is not None
    assert f"{names[3]}: sheep" in capsys.readouterr().out


def test_label_maps_of_a_network_become_pseudo_masks(voc, tmp_path):
    root, _ = voc
    (root / "SegmentationClass").rename(tmp_path / "label_maps")
    options = ("--label-maps", str(tmp_path / "label_maps"), "--mask-origin", "pseudo")
    assert prepare(root, tmp_path / "d.json", *options) == 0
    data = read_datalist(tmp_path / "d.json")
    assert {item["mask_origin"] for item in data["training"]} == {"pseudo"}
    assert data["training"][0]["mask"]["bus"] == "masks/2099_000000_bus.png"


def test_difficult_objects_count_and_parts_do_not(voc, tmp_path):
    root, label_maps = voc
    name, part = next(iter(label_maps)), "<part><name>head</name><bndbox><xmin>1</xmin></bndbox></part>"
    (root / "Annotations" / f"{name}.xml").write_text(annotation(72, 64, {BUS: [0, 0, 72, 64]}, part))
    assert prepare(root, tmp_path / "d.json") == 0
    item = read_datalist(tmp_path / "d.json")["training"][0]
    assert item["boxes"] == [[0, 0, 72, 64]]
    assert item["box_labels"] == [VOC_CLASSES.index(NAMES[BUS])]


@pytest.mark.parametrize(
    ("harm", "options", "reason"),
    [
        (lambda root, name: (root / "JPEGImages").rename(root / "Images"), (), "has no folder JPEGImages"),
        (lambda root, name: None, ("--label-maps", "SegmentationClassAug"), "there: SegmentationClass"),
        (lambda root, name: None, ("--list", "training=trainval"), "lists there: train, val"),
        (lambda root, name: None, ("--list", "train=train"), "'train=train' is not of the form SECTION=NAME"),
        (lambda root, name: (root / "JPEGImages" / f"{name}.jpg").unlink(), (), f"{'2099_000000'}: is not an image"),
        (lambda root, name: Image.new("L", (9, 9)).save(root / "JPEGImages" / f"{name}.png"), (), "the same name as"),
        (lambda root, name: _bare(root, name), (), "has neither objects nor a label map"),
        (lambda root, name: _xml(root, name, annotation(64, 72, {})), (), "is for an image of 64 x 72 pixels"),
        (lambda root, name: _xml(root, name, annotation(72, 64, {"lung": [1, 1, 2, 2]})), (), "unknown class 'lung'"),
        (lambda root, name: _xml(root, name, annotation(72, 64, {BUS: [1, 1, 99, 2]})), (), "leaves the image"),
        (lambda root, name: _xml(root, name, annotation(72, 64, {BUS: [9, 1, 2, 2]})), (), "an inverted box"),
        (lambda root, name: _xml(root, name, "<annotation><object>"), (), "cannot be read as XML"),
        (
            lambda root, name: _xml(root, name, "<a><object><name>bus</name></object></a>"),
            (),
            "no box of four numbers",
        ),
        (lambda root, name: _label_map(root, name, np.zeros((72, 64))), (), "is for an image of 64 x 72 pixels"),
        (lambda root, name: _label_map(root, name, np.full((64, 72), 21)), (), "holds the value 21"),
        (lambda root, name: _label_map(root, name, np.zeros((64, 72, 3))), (), "pixels are of the kind RGB"),
    ],
)
def test_bad_input_is_one_message_and_nothing_is_written(voc, tmp_path, capsys, harm, options, reason):
    root, label_maps = voc
    harm(root, next(iter(label_maps)))
    assert prepare(root, tmp_path / "d.json", *options) == 1
    assert reason in capsys.readouterr().err
    assert not (tmp_path / "d.json").exists() and not (tmp_path / "masks").exists()


def _bare(root, name):
    (root / "Annotations" / f"{name}.xml").unlink()
    (root / "SegmentationClass" / f"{name}.png").unlink()


def _xml(root, name, text):
    (root / "Annotations" / f"{name}.xml").write_text(text)


def _label_map(root, name, picture):
    Image.fromarray(picture.astype(np.uint8)).save(root / "SegmentationClass" / f"{name}.png")


@needs_radiographs
def test_genuine_images(tmp_path, capsys):
    output = tmp_path / "datalist.json"
    assert prepare(SHARED / "cxr" / "originals" / "voc_mini", output, "--section", "training") == 0
    # This copy's XML lacks the small things, and writes some classes in two words.
    printed = capsys.readouterr().out
    assert "2011_000003: bottle" in printed
    assert "2011_000006: chair, sofa" in printed
    expected = {"000003": ["person"], "000006": ["person"], "000025": ["bus", "car"]}
    for item in load_datalist(output):
        label_map = read_label_map(item["label_map"], 20)
        number = item["image"][-10:-4]
        assert [VOC_CLASSES[c] for c in range(20) if item["label"][c]] == expected[number]
        assert (label_map == VOID).any() == (number != "000025")
        shown = {VOC_CLASSES[v - 1] for v in np.unique(label_map) if v not in (0, VOID)}
        assert {name for name, path in item["mask"].items() if path} == shown
        for name, mask in zip(VOC_CLASSES, load_masks(item, VOC_CLASSES, label_map.shape)):
            assert np.array_equal(mask, label_map == VOC_CLASSES.index(name) + 1)
        for name in expected[number]:
            index = VOC_CLASSES.index(name)
            boxes = np.array([b for b, c in zip(item["boxes"], item["box_labels"]) if c == index])
            around = [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)]
            np.testing.assert_allclose(around, extent((label_map == index + 1).T), atol=8)
    [bus, small_bus, car] = load_datalist(output)[2]["boxes"]
    assert small_bus == [0, 98, 107, 282]  # xmin 1, ymin 99, xmax 107, ymax 282
    assert car[2] == 500  # the image's width


@needs_radiographs
def test_genuine_masks_of_the_augmented_set(tmp_path):
    """60 label maps of SegmentationClassAug with stand-in images: labels come from the label maps."""
    root, output = tmp_path / "voc", tmp_path / "datalist.json"
    (root / "JPEGImages").mkdir(parents=True)
    (root / "SegmentationClassAug").symlink_to(SHARED / "cxr" / "annotations" / "voc")
    paths = sorted((root / "SegmentationClassAug").glob("*.png"))
    for path in paths:
        with Image.open(path) as image:
            Image.new("RGB", image.size).save(root / "JPEGImages" / f"{path.stem}.jpg")
    assert prepare(root, output, "--section", "testing") == 0
    items = load_datalist(output, "testing")
    assert len(items) == 60
    for item in items:
        label_map = read_label_map(item["label_map"], 20)
        assert (label_map == VOID).any()
        assert [c + 1 for c in range(20) if item["label"][c]] == [v for v in np.unique(label_map) if v not in (0, VOID)]
        assert "boxes" not in item
    named = {i["image"][-15:-4]: [n for n, v in zip(VOC_CLASSES, i["label"]) if v] for i in items}
    assert named["2007_000032"] == ["aeroplane", "person"]
    assert named["2007_000039"] == ["tvmonitor"]
    assert named["2007_000063"] == ["chair", "dog"]
    for item in items[:5]:
        label_map = read_label_map(item["label_map"], 20)
        for name, mask in zip(VOC_CLASSES, load_masks(item, VOC_CLASSES, label_map.shape)):
            assert np.array_equal(mask, label_map == VOC_CLASSES.index(name) + 1)
