from __future__ import annotations

import numpy as np
from PIL import Image

from cxr_common.boxes import pairwise_iou
from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.phantom import make_phantom
from cxr_common.labels import LABELS
from cxr_tools.lungs import main


def test_chests_of_phantoms_lie_around_their_lungs(tmp_path, capsys):
    items, true = [], []
    for index in range(4):
        phantom = make_phantom(5, index, findings=())
        Image.fromarray(np.rint(phantom.image * 255).astype(np.uint8)).save(tmp_path / f"{index}.png")
        items.append({"image": f"{index}.png", "label": [0] * len(LABELS)})
        rows, columns = np.nonzero(phantom.anatomy["left lung"] | phantom.anatomy["right lung"])
        true.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    scored = [{**items[0], "image": "4.png"}]
    write_datalist({"labels": list(LABELS), "training": items, "testing": scored}, tmp_path / "in.json")
    assert (
        main(
            ["--datalist", str(tmp_path / "in.json"), "--output", str(tmp_path / "out.json"), "--sections", "training"]
        )
        == 0
    )
    assert capsys.readouterr().out.splitlines()[-1] == "training: 4 chests; left out: testing"
    chests = [item["chest"] for item in load_datalist(tmp_path / "out.json", "training")]
    assert np.diag(pairwise_iou(chests, true)).min() > 0.6


def test_an_image_that_cannot_be_read_is_named_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "text.png").write_text("no picture")
    write_datalist({"labels": ["Mass"], "training": [{"image": "text.png", "label": [0]}]}, tmp_path / "in.json")
    options = ["--datalist", str(tmp_path / "in.json"), "--output", str(tmp_path / "out.json")]
    assert main([*options, "--sections", "training"]) == 1
    error = capsys.readouterr().err
    assert "error: " in error and "text.png" in error and "Traceback" not in error
    assert not (tmp_path / "out.json").exists()


def test_the_chest_of_another_model_is_not_kept(tmp_path, monkeypatch):
    lungs = np.zeros((10, 10), dtype=bool)
    monkeypatch.setattr("cxr_tools.lungs.outline_lungs", lambda items: [(lungs, (64, 64))] * len(items))
    Image.new("L", (64, 64)).save(tmp_path / "a.png")
    item = {"image": "a.png", "label": [0], "chest": [1, 1, 9, 9]}
    write_datalist({"labels": ["Mass"], "training": [item]}, tmp_path / "in.json")
    options = ["--datalist", str(tmp_path / "in.json"), "--output", str(tmp_path / "out.json")]
    assert main([*options, "--sections", "training"]) == 0
    assert "chest" not in load_datalist(tmp_path / "out.json", "training")[0]
