from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from cxr_common.data import write_datalist
from cxr_common.errors import InputError
from cxr_common.refinement.localized import attach_heatmaps, items_to_refine, localized_items


@pytest.fixture
def folder(tmp_path):
    """What a localiser's inference leaves: two images, two classes."""
    images = [
        {
            "case": name,
            "path": f"{name}.png",
            "size": [64, 64],
            "files": {"heatmap": f"{name}_heatmap.npz"},
            "findings": [
                {"label": "Mass", "decision": name == "a", "probability": 0.8, "threshold": 0.5},
                {"label": "Nodule", "decision": False, "probability": 0.1, "threshold": 0.3},
            ],
        }
        for name in "ab"
    ]
    failures = [{"path": "broken.png", "reason": "the file is damaged", "action": "restore it"}]
    record = {"model": {"name": "b", "version": "1", "labels": ["Mass", "Nodule"]}, "input_dir": str(tmp_path / "in")}
    record |= {"images": images, "failures": failures}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "findings.json").write_text(json.dumps(record))
    return tmp_path


def test_items_name_files_and_decisions(folder):
    items = localized_items(folder / "out")
    assert [item["image"] for item in items] == [str(folder / "in" / "a.png"), str(folder / "in" / "b.png")]
    assert items[0]["heatmap"] == str(folder / "out" / "a_heatmap.npz")
    assert [item["decision"] for item in items] == [[1, 0], [0, 0]]
    assert items[0]["label_names"] == ["Mass", "Nodule"]


def test_a_run_without_heatmaps_is_named(folder):
    path = folder / "out" / "findings.json"
    path.write_text(path.read_text().replace('"heatmap": "b_', '"other": "b_'))
    with pytest.raises(InputError, match="has no heatmap of b.png; run a localiser"):
        localized_items(folder / "out")


def test_a_datalists_own_labels_stay(folder):
    items = attach_heatmaps([{"image": str(folder / "in" / "b.png"), "label": [1, None]}], folder / "out")
    assert items[0]["label"] == [1, None]
    assert items[0]["heatmap"].endswith("b_heatmap.npz")
    assert items[0]["probability"] == [0.8, 0.1]


def test_an_image_without_heatmap_is_named(folder):
    with pytest.raises(InputError, match=r"1 of 1 images, the first .*c\.png"):
        attach_heatmaps([{"image": str(folder / "in" / "c.png")}], folder / "out")


def test_images_that_the_localiser_could_not_use_are_left_out(folder, caplog):
    given = [{"image": str(folder / "in" / name), "label": [1, 0]} for name in ("a.png", "broken.png")]
    assert [item["image"] for item in attach_heatmaps(given, folder / "out")] == [str(folder / "in" / "a.png")]
    assert "1 of 2 images are left out, the first" in caplog.text
    with pytest.raises(InputError, match=r"1 of 1 images, the first .*broken\.png"):
        attach_heatmaps(given[1:], folder / "out")
    with pytest.raises(InputError, match=r"2 of 3 images, the first .*c\.png"):
        attach_heatmaps([*given, {"image": str(folder / "in" / "c.png")}], folder / "out")


def test_a_folder_without_findings_is_refused(tmp_path):
    with pytest.raises(InputError, match="run the bundle's inference"):
        localized_items(tmp_path)


def test_items_come_from_whatever_there_is(folder):
    (folder / "in").mkdir()
    for name in "ab":
        Image.new("L", (8, 8)).save(folder / "in" / f"{name}.png")
    items = [
        {"image": "a.png", "patient": "1", "label": [0, 1]},
        {"image": "b.png", "patient": "2", "label": [0, None]},
    ]
    write_datalist({"labels": ["Mass", "Nodule"], "training": items}, folder / "in" / "datalist.json")
    write_datalist({"labels": ["Mass", "Nodule"], "validation": items[1:]}, folder / "in" / "negative.json")
    from_list = items_to_refine(folder / "in", folder / "out", folder / "in" / "datalist.json", positive_only=True)
    assert [(i["label"], i["decision"], i["patient"]) for i in from_list] == [([0, 1], [1, 0], "1")]
    assert [Path(i["heatmap"]).name for i in items_to_refine(None, folder / "out")] == [
        "a_heatmap.npz",
        "b_heatmap.npz",
    ]
    assert [Path(i["image"]).name for i in items_to_refine(folder / "in")] == ["a.png", "b.png"]
    with pytest.raises(InputError, match="nothing to refine"):
        items_to_refine()
    with pytest.raises(InputError, match="no image with a finding in 'validation'"):
        items_to_refine(folder / "in", None, folder / "in" / "negative.json", "validation", positive_only=True)
