from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.data import Dataset, MetaTensor
from torch import nn

from cxr_common.data.label_map import read_label_map, write_label_map
from cxr_common.errors import InputError
from cxr_common.segmentation import LoadLabelMapd, evaluate_segmented, items_with_label_maps

LABELS = ["bus", "sheep"]


@pytest.fixture
def items(tmp_path):
    rng = np.random.default_rng(0)
    found = []
    for n in range(2):
        label_map = rng.integers(0, 3, (8 + n, 6), dtype=np.uint8)
        label_map[0] = 255
        write_label_map(label_map, tmp_path / "own" / f"{n}.png")
        (tmp_path / f"{n}.jpg").touch()
        found.append({"image": str(tmp_path / f"{n}.jpg"), "label_map": str(tmp_path / "own" / f"{n}.png")})
    return found


def test_items_with_their_own_label_maps_or_those_of_a_folder(items, tmp_path):
    assert items_with_label_maps([*items, {"image": "bare.jpg"}]) == items
    write_label_map(np.zeros((9, 6), np.uint8), tmp_path / "pseudo" / "1.png")
    (one,) = items_with_label_maps(items, tmp_path / "pseudo")
    assert one == {"image": items[1]["image"], "label_map": str(tmp_path / "pseudo" / "1.png")}
    for given, folder in ((items, tmp_path / "none"), ([{"image": "bare.jpg"}], None)):
        with pytest.raises(InputError, match="has no label map of an image"):
            items_with_label_maps(given, folder)


def test_a_label_map_becomes_a_tensor_of_its_numbers(items):
    load = LoadLabelMapd(num_classes=2)
    out = load({**items[1], "image": MetaTensor(torch.zeros(3, 9, 6))})
    assert out["label"].shape == (1, 9, 6) and out["label"].dtype == torch.uint8
    assert np.array_equal(out["label"][0], read_label_map(items[1]["label_map"], 2))
    with pytest.raises(InputError, match="is of 9 x 6 pixels, its image of 8 x 6"):
        load({**items[1], "image": MetaTensor(torch.zeros(3, 8, 6))})
    with pytest.raises(InputError, match="holds the value 2; classes are 1 to 1"):
        LoadLabelMapd(num_classes=1)({**items[1], "image": MetaTensor(torch.zeros(3, 9, 6))})


class Copy(nn.Module):
    """A network whose label map is its image."""

    def forward(self, image):
        return nn.functional.one_hot(image[:, 0].long(), 3).movedim(-1, 1).float()


def test_images_of_any_size_are_scored_by_vocs_rule(items, tmp_path):
    def load(item):
        truth = torch.from_numpy(read_label_map(item["label_map"], 2))
        return {"image": MetaTensor(torch.where(truth == 255, 1, truth)[None].float())}

    report = evaluate_segmented(Copy(), Dataset(items, load), LABELS, tmp_path / "out", n_resamples=10)
    iou = report["segmentation"]["original"]["iou of the data set"]
    assert iou["macro"]["value"] == 1 and list(iou["per_class"]) == ["background", *LABELS]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text("utf-8")) == report
    assert read_label_map(tmp_path / "out" / "label_maps" / "1.png", 2).shape == (9, 6)
