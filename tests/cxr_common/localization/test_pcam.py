from __future__ import annotations

import pytest
import torch

from cxr_common.localization import PcamClassifier


def small(**settings):
    torch.manual_seed(0)
    return PcamClassifier(3, backbone="resnet18", **settings).double().eval()


def test_pool_is_the_papers_pooling_of_features():
    """Features are averaged by the normalised probabilities of a class; then its row of the convolution is applied."""
    net = small()
    x = torch.randn(2, 1, 128, 96, dtype=torch.float64)
    with torch.no_grad():
        features = net.backbone(x)[3]
        probability = net.head(features).sigmoid()
        weight = probability / probability.sum((-2, -1), keepdim=True)
        for c in range(3):
            pooled = (weight[:, c : c + 1] * features).sum((-2, -1))
            expected = pooled @ net.head.weight[c, :, 0, 0] + net.head.bias[c]
            torch.testing.assert_close(net.pool(net(x))[:, c], expected)


@pytest.mark.parametrize("stride", [8, 16, 32])
def test_map_has_the_output_stride(stride):
    with torch.no_grad():
        assert small(output_stride=stride)(torch.zeros(1, 1, 64, 96, dtype=torch.float64)).shape == (
            1,
            3,
            64 // stride,
            96 // stride,
        )


def test_pool_and_its_gradient_are_finite_where_all_probabilities_vanish():
    maps = torch.full((1, 1, 4, 4), -200.0, requires_grad=True)
    logit = small().pool(maps)
    logit.sum().backward()
    assert logit.item() == pytest.approx(-200)
    assert torch.isfinite(maps.grad).all()
