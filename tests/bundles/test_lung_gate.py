"""The lung gate: an option of localisers and of the relation network, off unless it is asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

import cxr_common
from cxr_common.data.chest import inside_gate
from cxr_common.data.phantom import make_phantom
from tests.bundles.test_starts import refusal
from tests.bundles.training import train
from tests.golden import REPOSITORY

IRN = REPOSITORY / "bundles" / "cxr_irn_refinement"


@pytest.fixture(scope="module")
def radiograph(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "x.png"
    picture = make_phantom(99, 1, findings=("Cardiomegaly", "Mass")).image
    Image.fromarray((picture * 255).astype(np.uint8)).save(path)
    return path


def test_it_cuts_heatmaps_and_decides_nothing(bundle, radiograph):
    free, gated = (cxr_common.load(bundle, "cpu", lung_gate=on)(radiograph) for on in (False, True))
    inside = inside_gate(gated.item["gate"], gated.model.labels, gated.heatmap.shape[1:])
    assert not inside.all() and "gate" not in free.item
    assert np.array_equal(gated.heatmap, np.where(inside, free.heatmap, 0))
    for before, after in zip(free.findings, gated.findings, strict=True):
        assert (after.probability, after.decision) == (before.probability, before.decision)


def test_a_relation_network_has_it_before_or_after_its_walk(radiograph):
    free, before, after = (
        cxr_common.load(IRN, "cpu", walk_gate=when)(radiograph) for when in (None, "before", "after")
    )
    heart = free.model.labels.index("Cardiomegaly")
    outside = ~inside_gate(after.item["gate"], free.model.labels, free.heatmap.shape[1:])[heart]
    outside = torch.nn.functional.max_pool2d(-outside[None].float(), 9, 1, 4)[0] == -1  # not beside the gate
    assert free.heatmap[heart].max() == before.heatmap[heart].max() == after.heatmap[heart].max() == 1
    assert after.heatmap[heart][outside].max() == 0
    assert before.heatmap[heart][outside].max() <= free.heatmap[heart][outside].max()


@pytest.mark.one_localizer
def test_scores_are_those_of_gated_heatmaps(bundle, phantoms, tmp_path):
    reports = []
    for on in (False, True):
        output = tmp_path / str(on)
        train(bundle, ("train.yaml", "evaluate.yaml"), output, dataset_dir=str(phantoms), lung_gate=on)
        reports.append(json.loads((output / "metrics.json").read_text()))
    free, gated = reports
    assert gated["image_labels"] == free["image_labels"]
    assert gated["n_gated"] > 0 and "n_gated" not in free
    with np.load(tmp_path / "True" / "predictions.npz") as file:
        assert np.isfinite(file["gate"]).all(1).sum() == gated["n_gated"]


def test_a_relation_networks_scores_too(phantoms, tmp_path):
    recipe = ("train.yaml", "from_imagenet.yaml", "evaluate.yaml")
    train(IRN, recipe, tmp_path, dataset_dir=str(phantoms), walk_gate="after")
    assert json.loads((tmp_path / "metrics.json").read_text())["walk_gate"] == "after"


@pytest.mark.one_localizer
def test_without_the_lung_models_weights_one_line_says_where_they_are(bundle, radiograph, tmp_path):
    options = {"dataset_dir": str(radiograph.parent), "output_dir": str(tmp_path / "out")}
    away = str(tmp_path / "alone" / ".." / "cxr_chexseg_segmentation" / "models" / "lungs" / "model.pt")
    said = refusal(bundle, ["inference.json"], lung_gate=True, lung_weights=away, **options)
    assert "no such file; fetch the bundle cxr_chexseg_segmentation" in said and "--lung_weights" in said
    assert not (tmp_path / "out").exists()
    localiser = str(bundle / "models" / "model.pt")  # other weights
    said = refusal(bundle, ["inference.json"], lung_gate=True, lung_weights=localiser, **options)
    assert "do not fit" in said and "model.pt" in said and not (tmp_path / "out").exists()
    assert refusal(bundle, ["inference.json"], lung_weights=away, **options) == ""  # it is off
