from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from cxr_common.errors import InputError
from cxr_common.findings import WSMIS, Thresholds, Walk
from cxr_common.refinement import RefineHeatmapd


def item(present=(1, 0)):
    """A 64 x 64 input of a 128 x 96 image; walls around the cells 6..11 x 2..7, a blob of heat inside them."""
    image = MetaTensor(torch.zeros(1, 64, 64), meta={"spatial_shape": (128, 96), "filename_or_obj": "x.png"})
    boundary = torch.zeros(16, 16)
    boundary[5:13, 1:9] = 1
    boundary[6:12, 2:8] = 0
    heat = torch.zeros(2, 64, 64)
    heat[:, 28:36, 12:20] = 0.6
    pred = torch.cat((boundary[None], torch.zeros(2, 16, 16)))
    return {"image": image, "pred": pred, "heatmap": heat, "label": list(present), "probability": [0.9, 0.2]}


def refine(data, walk=WSMIS, **options):
    return RefineHeatmapd(labels=["Mass", "Nodule"], walk=walk, **options)(data)


def test_the_mask_fills_the_walls_and_does_not_cross_them():
    out = refine(item())
    mask = out["masks"]["Mass"]
    assert mask.shape == (128, 96)
    inside = np.zeros((128, 96), bool)
    inside[6 * 8 : 12 * 8, 2 * 6 : 8 * 6] = True
    assert (mask & inside).sum() > 0.9 * inside.sum()
    margin = np.zeros((128, 96), bool)
    margin[5 * 8 : 13 * 8, 6 : 9 * 6] = True
    assert not (mask & ~margin).any()


def test_only_findings_the_image_has_are_refined():
    out = refine(item())
    assert list(out["masks"]) == ["Mass"]
    assert out["refined"][1].max() == 0
    assert out["refined"][0].max() == 1
    decisions = [f["decision"] for f in out["findings"]["findings"]]
    assert decisions == [True, False]
    assert out["pred"].dtype == torch.uint8
    assert set(out["pred"].unique().tolist()) == {0, 1}


def test_nothing_present_gives_an_empty_mask():
    out = refine(item(present=(0, None)) | {"label": [0, float("nan")]})
    assert out["masks"] == {}
    assert out["pred"].max() == 0


def test_the_localisers_probability_is_kept():
    assert [f["probability"] for f in refine(item())["findings"]["findings"]] == [0.9, 0.2]


def test_a_mismatch_is_one_error_or_one_record():
    wrong = item() | {"label": [1]}
    with pytest.raises(InputError, match="1 labels for 2 classes"):
        refine(wrong)
    assert refine(wrong, on_error="record")["findings"]["failure"]["path"] == "x.png"


def test_walks_as_the_thresholds_were_tuned():
    names, half = ("Mass", "Nodule"), {"Mass": 0.5, "Nodule": 0.5}
    tuned = Thresholds(names, half, half, "absolute", walk=Walk(5, 10, {"Mass": 64, "Nodule": 0}))
    out = refine(item((1, 1)), walk=None, thresholds=tuned)["refined"]
    for c, steps in enumerate((64, 0)):
        assert torch.equal(out[c], refine(item((1, 1)), walk=Walk(5, 10, steps))["refined"][c])
    with pytest.raises(InputError, match="there is no random walk in these thresholds; .* or give radius, beta, steps"):
        refine(item(), walk=None)


@pytest.mark.parametrize("gated", ["before", "after"])
def test_a_gate_cuts_the_heatmap_or_its_walk(gated):
    """Of the walled area, the upper half: what is outside before the walk may be reached again, but not after it."""
    gate = torch.tensor([0.0, 0.0, 1.0, 5 / 16, 0.0])
    out = refine({**item(), "gate": gate}, gated=gated)
    assert out["refined"][0].max() == 1  # of what is left
    below = out["refined"][0, 24:48, 22:30].max()
    assert below == 0 if gated == "after" else below > 0.5
    assert [f["probability"] for f in out["findings"]["findings"]] == [0.9, 0.2]
    plain = refine(item())["refined"]
    assert torch.equal(refine({**item(), "gate": gate})["refined"], plain)
    assert torch.equal(refine({**item(), "gate": torch.full((5,), torch.nan)}, gated=gated)["refined"], plain)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_networks_output_may_lie_on_a_gpu():
    """MONAI's engines move image and label there, and leave the heatmap."""
    there = {**item(), "pred": item()["pred"].cuda(), "image": item()["image"].cuda()}
    assert torch.equal(refine(there)["refined"], refine(item())["refined"])
    assert not refine(there)["boundary"].is_cuda
