from __future__ import annotations

from torch import nn

from cxr_common.training import backbone_slower


def test_every_parameter_is_in_one_group():
    network = nn.ModuleDict({"backbone": nn.Linear(2, 3), "head": nn.Linear(3, 1)})
    network["backbone"].bias.requires_grad_(False)
    slow, fast = backbone_slower(network, 0.01, 0.1)
    assert slow["lr"] == 0.001
    assert fast["lr"] == 0.01
    assert [p.shape for p in slow["params"]] == [(3, 2)]
    assert [p.shape for p in fast["params"]] == [(1, 3), (1,)]
