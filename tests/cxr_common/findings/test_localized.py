from __future__ import annotations

import json

import pytest

from cxr_common.errors import InputError
from cxr_common.findings.localized import attach_heatmaps, localized_items


@pytest.fixture
def folder(tmp_path):
    """What a localiser's inference leaves: two images, two classes."""
    images = [
        {
            "path": f"{name}.png",
            "files": {"heatmap": f"{name}_heatmap.npz"},
            "findings": [
                {"label": "Mass", "decision": name == "a", "probability": 0.8, "threshold": 0.5},
                {"label": "Nodule", "decision": False, "probability": 0.1, "threshold": 0.3},
            ],
        }
        for name in "ab"
    ]
    record = {"model": {"labels": ["Mass", "Nodule"]}, "input_dir": str(tmp_path / "in"), "images": images}
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "findings.json").write_text(json.dumps(record))
    return tmp_path


def test_items_name_files_and_decisions(folder):
    items = localized_items(folder / "out")
    assert [item["image"] for item in items] == [str(folder / "in" / "a.png"), str(folder / "in" / "b.png")]
    assert items[0]["heatmap"] == str(folder / "out" / "a_heatmap.npz")
    assert [item["label"] for item in items] == [[1, 0], [0, 0]]
    assert items[0]["threshold"] == [0.5, 0.3]


def test_a_datalists_own_labels_stay(folder):
    items = attach_heatmaps([{"image": str(folder / "in" / "b.png"), "label": [1, None]}], folder / "out")
    assert items[0]["label"] == [1, None]
    assert items[0]["heatmap"].endswith("b_heatmap.npz")
    assert items[0]["probability"] == [0.8, 0.1]


def test_an_image_without_heatmap_is_named(folder):
    with pytest.raises(InputError, match=r"1 of 1 images, the first .*c\.png"):
        attach_heatmaps([{"image": str(folder / "in" / "c.png")}], folder / "out")


def test_a_folder_without_findings_is_refused(tmp_path):
    with pytest.raises(InputError, match="run the bundle's inference"):
        localized_items(tmp_path)
