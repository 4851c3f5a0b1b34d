from __future__ import annotations

import pytest
import torch
from monai.data import Dataset

from cxr_common.errors import InputError
from cxr_common.networks import load_weights, save_weights
from cxr_common.refinement import (
    InterPixelRelationNetwork,
    calibrate_mean_shift,
    load_frozen_backbone,
    relation_parameter_groups,
)


def test_groups_hold_the_branches_and_nothing_of_the_backbone():
    network = InterPixelRelationNetwork("resnet18")
    boundary, displacement = relation_parameter_groups(network, 0.1)
    assert (boundary["lr"], displacement["lr"]) == (0.1, 1.0)
    grouped = {id(p) for group in (boundary, displacement) for p in group["params"]}
    backbone = {id(p) for p in network.backbone.parameters()}
    assert not grouped & backbone
    assert grouped | backbone == {id(p) for p in network.parameters()}


def test_after_calibration_the_mean_displacement_is_zero(tmp_path):
    torch.manual_seed(0)
    network = InterPixelRelationNetwork("resnet18")
    network.mean_shift += 7  # what was there does not matter
    save_weights(network, tmp_path / "model.pt")
    images = [{"image": torch.randn(1, 64, 64)} for _ in range(5)]
    shift = calibrate_mean_shift(network, Dataset(images), tmp_path, batch_size=2)
    assert shift.abs().max() > 1e-4
    trained = InterPixelRelationNetwork("resnet18")
    load_weights(trained, tmp_path / "model.pt")
    torch.testing.assert_close(trained.mean_shift, shift)
    trained.eval()
    with torch.no_grad():
        mean = trained(torch.stack([i["image"] for i in images]))[:, 1:].mean((0, 2, 3))
    torch.testing.assert_close(mean, torch.zeros(2), atol=1e-4, rtol=0)


def test_a_backbone_that_learns_nothing_needs_weights():
    with pytest.raises(InputError, match="stays as it is, and it has no weights"):
        load_frozen_backbone(InterPixelRelationNetwork("resnet18"))


def test_only_the_first_process_writes_the_calibrated_weights(tmp_path, monkeypatch):
    monkeypatch.setattr("cxr_common.refinement.training_steps.is_first_process", lambda: False)
    assert calibrate_mean_shift(InterPixelRelationNetwork("resnet18"), Dataset([]), tmp_path) is None
