from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from monai.data import Dataset, MetaTensor
from PIL import Image

from cxr_common.data.label_map import read_label_map, write_label_map
from cxr_common.errors import InputError
from cxr_common.evaluation import evaluate_label_maps
from cxr_common.findings import Thresholds, Walk
from cxr_common.networks.weights import save_weights
from cxr_common.refinement import (
    InterPixelRelationNetwork,
    RelationInferer,
    evaluate_refinement,
    random_walk,
    refined_label_maps,
    relations,
    tune_refinement,
)

LABELS = ["bus", "sheep", "train"]


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return InterPixelRelationNetwork("resnet18", in_channels=3).eval()


def item(width, height, label, seed=0, original=None):
    generator = torch.Generator().manual_seed(seed)
    meta = {"spatial_shape": np.array(original or (width, height)), "filename_or_obj": f"{seed}.jpg"}
    image = MetaTensor(torch.randn(3, width, height, generator=generator), meta=meta)
    heat = torch.rand(3, 9, 7, generator=generator) * torch.tensor([0.9, 0.3, 0.6])[:, None, None]
    return {"image": image, "heatmap": heat, "label": torch.tensor(label)}


def test_each_pixel_goes_to_the_largest_of_the_normalised_walks(network):
    """The published rule, written out: unit peaks, walk, x 4 bilinear, crop, one maximum, background .25."""
    d = item(42, 31, [1.0, 1.0, 0.0])
    [label_map] = refined_label_maps(
        network, Dataset([d]), LABELS, 0.25, walk=Walk(steps=4), inferer=RelationInferer(48)
    )
    with torch.no_grad():
        boundary, _ = relations(network, d["image"].as_tensor()[None], 48)
    heat = torch.nn.functional.interpolate(d["heatmap"][None], size=(11, 8), mode="area")[0]
    walks = [random_walk((h / h.max())[None, None], boundary, radius=5, beta=10, steps=4) for h in heat[:2]]
    full = [torch.nn.functional.interpolate(w, scale_factor=4, mode="bilinear")[0, 0, :42, :31] for w in walks]
    largest = max(float(f.max()) for f in full)
    assert label_map.shape == (42, 31)
    assert label_map.dtype == np.uint8
    for x, y in np.ndindex(42, 31):
        scores = [0.25, *(float(f[x, y]) / largest for f in full)]
        if sorted(scores)[-1] - sorted(scores)[-2] > 1e-5:
            assert label_map[x, y] == int(np.argmax(scores))
    assert set(np.unique(label_map)) == {1, 2} or set(np.unique(label_map)) == {0, 1, 2}


def test_numbers_are_those_of_the_classes_and_only_of_present_ones(network):
    d = item(40, 40, [0.0, float("nan"), 1.0])
    [label_map] = refined_label_maps(network, Dataset([d]), LABELS, 0.7, walk=Walk(steps=1))
    assert set(np.unique(label_map)) == {0, 3}
    [nothing] = refined_label_maps(network, Dataset([item(40, 24, [0.0, 0.0, 0.0])]), LABELS)
    assert nothing.shape == (40, 24)
    assert not nothing.any()


def test_how_strong_a_heatmap_is_does_not_count(network):
    d = item(40, 40, [1.0, 1.0, 1.0])
    weak = {**d, "heatmap": d["heatmap"] * torch.tensor([0.01, 1.0, 0.5])[:, None, None]}
    first, second = refined_label_maps(network, Dataset([d, weak]), LABELS, walk=Walk(steps=2))
    assert (first == second).mean() > 0.999


def test_images_of_several_sizes_in_the_geometry_of_their_originals(network):
    data = Dataset([item(40, 40, [1.0, 0.0, 0.0]), item(36, 52, [1.0, 0.0, 0.0], 1, original=(72, 104))])
    assert [m.shape for m in refined_label_maps(network, data, LABELS, walk=Walk(steps=1))] == [(40, 40), (72, 104)]


@pytest.fixture
def scored(tmp_path):
    """Label maps of three images, and items of which two have true ones, with void."""
    rng = np.random.default_rng(0)
    predicted, items = [], []
    for i, size in enumerate([(6, 9), (8, 5), (7, 7)]):
        predicted.append(rng.choice([0, 1, 3], size).astype(np.uint8))
        items.append({"image": str(tmp_path / f"{i}.jpg")})
        if i < 2:
            items[-1]["label_map"] = str(tmp_path / f"{i}.png")
            write_label_map(rng.choice([0, 1, 3, 255], size).astype(np.uint8), tmp_path / f"{i}.png")
    return predicted, items


def test_report_by_brute_force(scored, tmp_path):
    predicted, items = scored
    report = evaluate_label_maps(iter(predicted), items, LABELS, tmp_path / "out", n_resamples=20)
    json.dumps(report, allow_nan=False)
    assert (report["n_images"], report["n_scored"]) == (3, 2)
    figures = report["segmentation"]["original"]["iou of the data set"]
    values = []
    for c, name in ((0, "background"), (1, "bus"), (3, "train")):
        both = either = 0
        for p, i in zip(predicted, items[:2]):
            t = read_label_map(i["label_map"], 3)
            both += ((p == c) & (t == c) & (t != 255)).sum()
            either += (((p == c) | (t == c)) & (t != 255)).sum()
        values.append(both / either)
        assert figures["per_class"][name]["value"] == pytest.approx(values[-1], rel=1e-12)
    assert figures["per_class"]["sheep"]["value"] is None
    assert figures["macro"]["value"] == pytest.approx(np.mean(values), rel=1e-12)
    assert figures["macro"]["n_images"] == 2
    for i, p in enumerate(predicted):
        assert np.array_equal(read_label_map(tmp_path / "out" / "label_maps" / f"{i}.png", 3), p)


def test_what_cannot_be_scored_is_refused(scored, tmp_path):
    predicted, items = scored
    with pytest.raises(InputError, match="of 6 x 9 pixels, its image of 9 x 6"):
        evaluate_label_maps(iter([p.T for p in predicted]), items, LABELS, tmp_path / "out")
    bare = [{"image": i["image"]} for i in items]
    with pytest.raises(InputError, match="no image has a label map"):
        evaluate_label_maps(iter(predicted), bare, LABELS, tmp_path / "out")


def test_thresholds_hold_the_published_background_and_it_is_used(network, tmp_path):
    d = item(40, 40, [1.0, 0.0, 0.0])
    Image.new("RGB", (40, 40)).save(tmp_path / "0.jpg")
    write_label_map(np.full((40, 40), 1, np.uint8), tmp_path / "0.png")
    files = [{"image": str(tmp_path / "0.jpg"), "label": [1, 0, 0], "label_map": str(tmp_path / "0.png")}]
    data = Dataset(files, transform=lambda _: d)
    save_weights(network, tmp_path / "model.pt")
    walk = Walk(steps=1)
    tuned = tune_refinement(
        network, data, LABELS, tmp_path, walk=walk, candidates=[1, 2], compete=True, inferer=RelationInferer(48)
    )
    assert tuned is not None
    assert set(tuned.mask.values()) == {0.25}
    assert tuned.input_size == [48, 48]
    assert tuned.walk.steps_of(LABELS) == [1, 1, 1]
    for background, everywhere in ((0.0, True), (1.0, False)):
        thresholds = Thresholds(tuple(LABELS), tuned.decision, dict.fromkeys(LABELS, background), "absolute")
        metrics = evaluate_refinement(
            network, data, thresholds, tmp_path / "out", weights=tmp_path / "model.pt", walk=walk, compete=True
        )
        iou = metrics["segmentation"]["original"]["iou of the data set"]["per_class"]["bus"]["value"]
        assert iou == (1 if everywhere else 0)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == metrics
    assert len(metrics["weights_sha256"]) == len(metrics["data_sha256"]) == 64
    uneven = Thresholds(tuple(LABELS), tuned.decision, {**tuned.mask, "bus": 0.3}, "absolute")
    with pytest.raises(InputError, match="different mask thresholds"):
        evaluate_refinement(network, data, uneven, tmp_path / "out", walk=walk, compete=True)
