from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cxr_common.boxes import pairwise_iou
from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.phantom import make_phantom
from cxr_common.labels import LABELS
from cxr_tools.lungs import chest_box, is_plausible, main


def test_the_box_has_margins_and_the_images_pixels():
    lungs = np.zeros((100, 100), dtype=bool)  # row, column
    lungs[20:70, 10:90] = True
    x0, y0, x1, y1 = chest_box(lungs, (400, 200))
    assert x0 == pytest.approx(400 * 0.05, abs=4) and x1 == pytest.approx(400 * 0.95, abs=8)
    assert y0 == pytest.approx(200 * 0.17, abs=2) and y1 == pytest.approx(200 * 0.78, abs=4)


def test_crumbs_elsewhere_do_not_widen_it():
    lungs = np.zeros((100, 100), dtype=bool)
    lungs[30:70, 20:80] = True
    before = chest_box(lungs, (100, 100))
    lungs[2, 2] = lungs[98, 97] = True
    assert np.allclose(chest_box(lungs, (100, 100)), before, atol=1)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.8])
def test_masks_that_are_no_lungs_give_no_box(share):
    lungs = np.zeros((10, 100), dtype=bool)
    lungs[:, : int(100 * share)] = True
    assert not is_plausible(lungs) and chest_box(lungs, (10, 10)) is None


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
