from __future__ import annotations

import pytest
import torch

from cxr_common.localization import CamClassifier
from cxr_common.networks import make_backbone


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "densenet121"])
@pytest.mark.parametrize(("stride", "strides"), [(8, [4, 8, 8, 8]), (16, [4, 8, 16, 16]), (32, [4, 8, 16, 32])])
def test_the_deepest_maps_have_the_output_stride(backbone, stride, strides):
    net = make_backbone(backbone, output_stride=stride).eval()
    assert net.strides == strides
    with torch.no_grad():
        features = net(torch.zeros(1, 1, 64, 96))
    assert [tuple(f.shape[2:]) for f in features] == [(64 // s, 96 // s) for s in strides]


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_dilation_keeps_what_the_strided_network_sees(backbone):
    """Every cell of the strided map is found again in the dilated one: the same weights at the same places."""
    torch.manual_seed(0)
    coarse, fine = (make_backbone(backbone, output_stride=s).double().eval() for s in (32, 8))
    fine.load_state_dict(coarse.state_dict())
    x = torch.randn(1, 1, 128, 128, dtype=torch.float64)
    with torch.no_grad():
        a, b = coarse(x)[3], fine(x)[3]
    torch.testing.assert_close(b[..., ::4, ::4], a)


def test_an_output_stride_that_is_none_is_refused():
    with pytest.raises(ValueError, match="output_stride"):
        CamClassifier(2, backbone="resnet18", output_stride=4)
