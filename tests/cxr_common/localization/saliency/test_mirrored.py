from __future__ import annotations

import torch

from cxr_common.localization import CamClassifier, MirroredInferer, Pylon, SaliencyInferer


def test_mean_of_both_by_hand():
    def network(image):
        return image * torch.arange(4.0)[:, None]  # not symmetric in x

    x = torch.randn(1, 1, 4, 3)
    expected = (network(x) + network(x.flip(2)).flip(2)) / 2
    torch.testing.assert_close(MirroredInferer()(x, network), expected)


def test_a_mirrored_image_gives_mirrored_maps():
    torch.manual_seed(0)
    network, x = Pylon(2, backbone="resnet18").eval(), torch.randn(1, 1, 128, 64)
    infer = MirroredInferer()
    with torch.no_grad():
        torch.testing.assert_close(infer(x.flip(2), network), infer(x, network).flip(2), atol=1e-4, rtol=1e-4)


def test_it_goes_round_a_saliency_method():
    torch.manual_seed(0)
    network, x = CamClassifier(2, backbone="resnet18", output_stride=8).eval(), torch.randn(1, 1, 64, 64)
    inner = SaliencyInferer("gradcam", "backbone.layer4")
    infer = MirroredInferer(inner)
    maps = infer(x, network)
    torch.testing.assert_close(maps, (inner(x, network) + inner(x.flip(2), network).flip(2)) / 2)
    assert infer.pool is inner.pool or infer.pool(maps).shape == (1, 2)
    assert infer.describe() == {**inner.describe(), "mirrored": True}
    assert not hasattr(MirroredInferer(), "pool")
