from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from cxr_common.detection import DetectionInferer
from cxr_common.localization import MirroredInferer, SaliencyInferer
from cxr_common.networks import PlainInferer
from cxr_common.refinement import RelationInferer


class Spy(torch.nn.Module):
    """Remembers what it was given, and ends there."""

    def forward(self, image):
        self.seen = image
        raise StopIteration

    def pool(self, maps):
        return maps


@pytest.mark.parametrize(
    "inferer", [PlainInferer(), MirroredInferer(), SaliencyInferer("cam"), RelationInferer(), DetectionInferer(None)]
)
def test_networks_get_plain_tensors(inferer):
    network = Spy()
    with pytest.raises(StopIteration):
        inferer(MetaTensor(torch.zeros(1, 1, 4, 4)), network)
    assert type(network.seen) is torch.Tensor


def test_the_output_is_the_networks():
    image = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    network = torch.nn.Conv2d(1, 2, 3)
    for given in (image, MetaTensor(image)):
        assert torch.equal(PlainInferer()(given, network), network(image))
