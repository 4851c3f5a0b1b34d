from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from torch import nn

from cxr_common.training import Bfloat16Inferer, cpu_has_bfloat16


class Spy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 3, padding=1)
        self.seen: torch.dtype | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert not isinstance(x, MetaTensor)
        out = self.layer(x)
        self.seen = out.dtype
        return out


def test_computes_in_bfloat16_and_gives_float32():
    torch.manual_seed(0)
    network, image = Spy(), torch.randn(2, 1, 8, 8)
    half = Bfloat16Inferer()(image, network)
    assert network.seen == torch.bfloat16
    assert half.dtype == torch.float32
    full = Bfloat16Inferer(enabled=False)(image, network)
    assert network.seen == torch.float32
    assert torch.equal(full, network(image))
    assert not torch.equal(half, full)
    assert torch.allclose(half, full, atol=0.03)


def test_parameters_and_gradients_stay_float32():
    network = Spy()
    Bfloat16Inferer()(torch.randn(2, 1, 8, 8), network).square().mean().backward()
    assert {p.dtype for p in network.parameters()} == {p.grad.dtype for p in network.parameters()} == {torch.float32}


@pytest.mark.parametrize("enabled", [True, False])
def test_networks_get_plain_tensors(enabled):
    image = torch.randn(2, 1, 8, 8)
    network = Spy()
    assert torch.equal(Bfloat16Inferer(enabled)(MetaTensor(image), network), Bfloat16Inferer(enabled)(image, network))


def test_processors_are_asked_where_torch_can_and_else_it_is_not_assumed(monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False, "amx_bf16": True}, raising=False)
    assert cpu_has_bfloat16()
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)
    assert not cpu_has_bfloat16()
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not cpu_has_bfloat16()
