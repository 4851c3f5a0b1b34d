"""Each module gets its own training flag back."""

from __future__ import annotations

import pytest

from cxr_common.localization.saliency.mode import evaluating
from tests.cxr_common.localization.saliency.networks import small


def test_mixed_flags_are_restored():
    network = small(norm=True).train()
    network.norm.eval()
    before = {name: module.training for name, module in network.named_modules()}
    with evaluating(network):
        assert not any(module.training for module in network.modules())
    assert {name: module.training for name, module in network.named_modules()} == before
    assert before["conv1"]
    assert not before["norm"]


def test_flags_are_restored_after_an_error():
    network = small().train()
    with pytest.raises(RuntimeError, match="stop"), evaluating(network):
        raise RuntimeError("stop")
    assert all(module.training for module in network.modules())
