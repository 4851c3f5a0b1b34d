from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.data import Dataset, MetaTensor
from PIL import Image
from torch.nn import functional as F

from cxr_common.findings import CHEXSEG, Thresholds, Walk, load_thresholds
from cxr_common.networks.weights import save_weights
from cxr_common.refinement import (
    Boundaries,
    InterPixelRelationNetwork,
    choose_steps,
    evaluate_refinement,
    predict_boundaries,
    predict_refined,
    random_walk,
    relations,
    tune_refinement,
)

LABELS = ["a", "b", "c"]


def item(seed, label):
    generator = torch.Generator().manual_seed(seed)
    meta = {"spatial_shape": np.array([48, 32]), "filename_or_obj": f"{seed}.png"}
    image = MetaTensor(torch.randn(1, 48, 32, generator=generator), meta=meta)
    return {"image": image, "heatmap": torch.rand(3, 12, 8, generator=generator), "label": torch.tensor(label)}


@pytest.mark.parametrize("learnt", [True, False])
def test_each_present_finding_is_the_walk_of_its_map_and_an_absent_one_is_nothing(learnt):
    """The definition, written out: walk each present map by itself, and divide by the peak after the upsampling."""
    torch.manual_seed(0)
    network = InterPixelRelationNetwork("resnet18", in_channels=1).eval() if learnt else None
    items = [item(0, [1.0, 0.0, 1.0]), item(1, [0.0, 0.0, 0.0]), item(2, [float("nan"), 1.0, 0.0])]
    found = predict_refined(network, Dataset(items), LABELS, walk=CHEXSEG)
    maps = torch.from_numpy(found.maps).float().sigmoid()
    assert maps.shape == (3, 3, 12, 8)
    for n, one in enumerate(items):
        boundary = torch.zeros(1, 1, 12, 8)
        if network:
            with torch.no_grad():
                boundary = relations(network, one["image"].as_tensor()[None])[0][:, :1]
        for c, value in enumerate(one["label"]):
            if value != 1:
                assert float(maps[n, c].max()) < 1e-3
                assert not found.decided({})[n, c]
                continue
            walked = random_walk(one["heatmap"][None, c : c + 1], boundary, radius=3, beta=5, steps=8)
            peak = F.interpolate(walked, scale_factor=4, mode="bilinear").max()
            np.testing.assert_allclose(
                maps[n, c], (walked[0, 0] / peak).clamp(max=1), atol=3e-3
            )  # kept as half-precision logits
            assert found.decided({})[n, c]


SIDE = 64


def peaks_in_boxes(folder, n=6):
    """Images whose finding "large" is a walled box that its heatmap peaks in, and whose "small" is its heatmap."""
    items, boundary, heat = [], [], []
    for i in range(n):
        wall = torch.zeros(1, 1, SIDE // 4, SIDE // 4)
        wall[..., 1:12, 1:12] = 1
        wall[..., 2:11, 2:11] = 0
        maps = torch.zeros(1, 2, SIDE // 4, SIDE // 4)
        maps[0, 0, 5:7, 5:7] = 1
        maps[0, 1, 4:6, 6:8] = 1
        masks = {"large": np.zeros((SIDE, SIDE), np.uint8), "small": np.zeros((SIDE, SIDE), np.uint8)}
        masks["large"][8:44, 8:44] = 255
        masks["small"][16:24, 24:32] = 255
        for name, mask in masks.items():
            Image.fromarray(mask.T).save(folder / f"{i}_{name}.png")
        paths = {name: str(folder / f"{i}_{name}.png") for name in masks}
        items.append({"image": f"{i}.png", "label": [1, 1], "mask": paths})
        boundary.append(wall)
        heat.append(maps)
    sizes, label = np.full((n, 2), SIDE), np.ones((n, 2), np.float32)
    return Boundaries(["large", "small"], items, sizes, (SIDE, SIDE), label, boundary, heat, "cpu")


def test_each_class_goes_as_far_as_its_masks_ask(tmp_path):
    walk = choose_steps(peaks_in_boxes(tmp_path), Walk(5, 10, 8), [0, 64])
    assert walk == Walk(5, 10, {"large": 64, "small": 0})


def test_the_fewest_steps_within_the_margin_are_taken(tmp_path):
    """The large box needs two steps at least; 8, 64 and 128 fill it alike, as do all with a margin of everything."""
    boundaries = peaks_in_boxes(tmp_path)
    assert choose_steps(boundaries, Walk(5, 10, 8), [128, 64, 8, 0]).steps["large"] == 8
    assert choose_steps(boundaries, Walk(5, 10, 8), [8, 64], margin=1.0).steps == {"large": 8, "small": 8}
    assert choose_steps(boundaries, Walk(5, 10, 8), [0, 8], margin=1.0).steps["large"] == 0


def test_too_few_masks_choose_nothing(tmp_path):
    walk = choose_steps(peaks_in_boxes(tmp_path, 4), Walk(5, 10, 8), [0, 64])
    assert walk.steps_of(["large", "small"]) == [8, 8]


def test_classes_of_one_image_walk_their_own_way(tmp_path):
    boundaries = peaks_in_boxes(tmp_path, 1)
    mixed = boundaries.refined(Walk(5, 10, {"large": 64, "small": 0})).maps
    assert np.array_equal(mixed[:, 0], boundaries.refined(Walk(5, 10, 64)).maps[:, 0])
    assert np.array_equal(mixed[:, 1], boundaries.refined(Walk(5, 10, 0)).maps[:, 1])


def test_thresholds_are_tuned_for_a_walk_and_remember_it(tmp_path):
    torch.manual_seed(0)
    network = InterPixelRelationNetwork("resnet18", in_channels=1)
    save_weights(network, tmp_path / "model.pt")
    data = Dataset([item(n, [1.0, 1.0, 0.0]) for n in range(2)])
    tuned = tune_refinement(network, data, LABELS, tmp_path, walk=CHEXSEG, candidates=[0, 64])
    assert tuned.walk.steps_of(LABELS) == [8, 8, 8]  # no masks to choose by
    assert load_thresholds(tmp_path / "thresholds.json") == tuned
    assert json.loads((tmp_path / "thresholds.json").read_text())["walk"]["radius"] == 3
    again = predict_boundaries(network, data, LABELS).refined(tuned.walk_with())
    assert np.array_equal(again.maps, predict_refined(network, data, LABELS, walk=CHEXSEG).maps)


def test_gates_of_the_data_set_act_where_it_is_asked_for(tmp_path):
    torch.manual_seed(0)
    network = InterPixelRelationNetwork("resnet18", in_channels=1).eval()
    gates = [torch.tensor([0.0, 0.0, 0.5, 1.0, 0.0]), torch.full((5,), torch.nan)]
    data = Dataset([{**item(n, [1.0, 0.0, 1.0]), "gate": gate} for n, gate in enumerate(gates)])

    def refined(gated):
        return (
            torch.from_numpy(predict_refined(network, data, LABELS, walk=CHEXSEG, gated=gated).maps).float().sigmoid()
        )

    free, after, before = (refined(gated) for gated in (None, "after", "before"))
    assert torch.equal(after[1], free[1]) and torch.equal(before[1], free[1])
    assert after[0, :, 6:].max() < 1e-3 < before[0, 0, 6:].max() < free[0, 0, 6:].max()
    for maps in (after, before):  # divided by the peak that is left, and clamped to 1 on the grid
        assert F.interpolate(maps[:1, :1], scale_factor=4, mode="bilinear").max() == pytest.approx(1, abs=0.02)
    thresholds = Thresholds.default(LABELS)
    files = []
    for n in range(len(gates)):
        Image.new("L", (8, 8)).save(tmp_path / f"{n}.png")
        files.append({"image": str(tmp_path / f"{n}.png"), "n": n})
    inputs = [*data]
    data = Dataset(files, lambda file: inputs[file["n"]])
    report = evaluate_refinement(network, data, thresholds, tmp_path, walk=CHEXSEG, gated="after", n_resamples=10)
    assert report["walk_gate"] == "after"
    assert "walk_gate" not in evaluate_refinement(network, data, thresholds, tmp_path, walk=CHEXSEG, n_resamples=10)
