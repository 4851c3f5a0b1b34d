from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import Dataset, MetaTensor
from torch.nn import functional as F

from cxr_common.evaluation import predict_refined
from cxr_common.networks import InterPixelRelationNetwork, relations
from cxr_common.refinement import random_walk

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
    found = predict_refined(network, Dataset(items), LABELS, radius=3, beta=5, steps=8)
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
                assert found.logits[n, c] < 0
                continue
            walked = random_walk(one["heatmap"][None, c : c + 1], boundary, radius=3, beta=5, steps=8)
            peak = F.interpolate(walked, scale_factor=4, mode="bilinear").max()
            np.testing.assert_allclose(
                maps[n, c], (walked[0, 0] / peak).clamp(max=1), atol=3e-3
            )  # kept as half-precision logits
            assert found.logits[n, c] > 0
