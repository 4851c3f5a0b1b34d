from __future__ import annotations

import numpy as np
from PIL import Image

from cxr_common.boxes import pairwise_iou
from cxr_common.data import load_datalist, write_datalist
from cxr_common.data.phantom import make_phantom
from cxr_common.labels import LABELS
from cxr_tools.lungs import main


def test_chests_of_phantoms_lie_around_their_lungs(tmp_path):
    items, true = [], []
    for index in range(4):
        phantom = make_phantom(5, index, findings=())
        Image.fromarray(np.rint(phantom.image * 255).astype(np.uint8)).save(tmp_path / f"{index}.png")
        items.append({"image": f"{index}.png", "label": [0] * len(LABELS)})
        rows, columns = np.nonzero(phantom.anatomy["left lung"] | phantom.anatomy["right lung"])
        true.append([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    write_datalist({"labels": list(LABELS), "training": items}, tmp_path / "in.json")
    assert (
        main(
            ["--datalist", str(tmp_path / "in.json"), "--output", str(tmp_path / "out.json"), "--sections", "training"]
        )
        == 0
    )
    chests = [item["chest"] for item in load_datalist(tmp_path / "out.json", "training")]
    assert np.diag(pairwise_iou(chests, true)).min() > 0.6
