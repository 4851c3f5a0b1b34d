"""Layer relevance weights reach findings.json and TensorBoard."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cxr_common.labels import LABELS
from cxr_common.networks import load_weights
from tests.bundles.networks import make_network
from tests.bundles.test_train import run
from tests.bundles.training import event_tags
from tests.bundles.workflow import findings_of
from tests.golden import REPOSITORY

BUNDLE = REPOSITORY / "bundles" / "cxr_multiscale_localization"


def test_findings_hold_the_shipped_networks_relevance(tmp_path):
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(tmp_path / "x.png")
    relevance = findings_of(BUNDLE, tmp_path, tmp_path / "out")["model"]["layer_relevance"]
    network = make_network(BUNDLE)
    load_weights(network, BUNDLE / "models" / "model.pt")
    assert relevance == network.describe(LABELS)["layer_relevance"]
    torch.testing.assert_close(
        torch.tensor([list(row.values()) for row in relevance.values()]).sum(1), torch.ones(8), atol=1e-3, rtol=0
    )


def test_tensorboard_shows_relevance_as_curves_and_plot(phantoms, tmp_path):
    run(BUNDLE, phantoms, tmp_path, max_epochs=1)
    tags = event_tags(tmp_path)
    curves = [tag for tag in tags["scalars"] if tag.startswith("relevance ")]
    assert len(curves) == 8 * 4
    assert "relevance" in tags["images"]
    events = EventAccumulator(str(tmp_path / "events")).Reload()
    values = [events.Scalars(f"relevance Nodule/stride {s}")[-1].value for s in (4, 8, 16, 32)]
    assert abs(sum(values) - 1) < 1e-3
