from __future__ import annotations

import pytest
import torch

from cxr_common.localization import CamClassifier
from cxr_common.networks import log_sum_exp_pool


def test_the_mean_of_the_map_is_pooling_first_and_a_linear_layer_after():
    net = CamClassifier(3, backbone="resnet18").double().eval()
    x = torch.randn(2, 1, 64, 96, dtype=torch.float64)
    with torch.no_grad():
        pooled = net.backbone(x)[3].mean((-2, -1))
        expected = pooled @ net.head.weight[:, :, 0, 0].T + net.head.bias
        torch.testing.assert_close(net.pool(net(x)), expected)


def test_log_sum_exp_lies_between_mean_and_maximum():
    maps = torch.randn(2, 3, 5, 7, dtype=torch.float64)
    pooled = log_sum_exp_pool(maps)
    assert (pooled > maps.mean((-2, -1))).all()
    assert (pooled < maps.amax((-2, -1))).all()
    torch.testing.assert_close(log_sum_exp_pool(maps, 1e-6), maps.mean((-2, -1)), atol=1e-5, rtol=0)
    torch.testing.assert_close(log_sum_exp_pool(maps, 1e4), maps.amax((-2, -1)), atol=1e-3, rtol=0)
    assert torch.isfinite(log_sum_exp_pool(1000 * maps)).all()


def test_the_pooling_is_a_setting():
    net = CamClassifier(2, backbone="resnet18", pooling="lse")
    maps = torch.randn(1, 2, 4, 4)
    torch.testing.assert_close(net.pool(maps), log_sum_exp_pool(maps))
    with pytest.raises(ValueError, match="pooling"):
        CamClassifier(2, backbone="resnet18", pooling="max")
