from __future__ import annotations

import pytest
import torch
from monai.inferers import SimpleInferer, SlidingWindowInferer
from torch import nn

from cxr_common.errors import InputError
from cxr_common.exports import exportable
from cxr_common.localization import CamClassifier, MirroredInferer, SaliencyInferer
from cxr_common.networks import PlainInferer
from cxr_common.refinement import InterPixelRelationNetwork, RelationInferer
from cxr_common.training import Bfloat16Inferer


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(0)
    network = CamClassifier(num_classes=3, backbone="resnet18").eval()
    with torch.no_grad():
        network.head.bias.copy_(torch.tensor([-30.0, 0.0, 30.0]))  # probabilities that round to 0 and 1
    return network


INFERERS = {
    "MONAI's": SimpleInferer(),
    "plain": PlainInferer(),
    "cam": SaliencyInferer("cam"),
    "mirrored": MirroredInferer(),
    "mirrored cam": MirroredInferer(SaliencyInferer("cam")),
}


@pytest.mark.parametrize("name", INFERERS)
@torch.no_grad()
def test_heatmaps_and_logits_are_the_inferers(name, classifier):
    module = exportable(INFERERS[name], classifier)
    image = torch.randn(2, 1, 64, 96, generator=torch.Generator().manual_seed(1))
    assert module.outputs == ("heatmap", "logits")
    for script in (module, torch.jit.script(module)):
        heatmap, logits = script(image)
        expected = module.expected(image, INFERERS[name], classifier)
        torch.testing.assert_close(heatmap, expected[0], rtol=0, atol=1e-5)
        torch.testing.assert_close(logits, expected[1], rtol=1e-5, atol=1e-4)


def test_the_class_of_a_packed_bundle_is_another_one_of_the_same_name(classifier):
    class PlainInferer(SimpleInferer):
        as_maps = INFERERS["plain"].__class__.as_maps

    assert type(exportable(PlainInferer(), classifier)) is type(exportable(INFERERS["plain"], classifier))


def test_bfloat16_cannot_be_written(classifier):
    assert exportable(Bfloat16Inferer(enabled=False), classifier).outputs == ("heatmap", "logits")
    with pytest.raises(InputError, match="bfloat16 cannot be written"):
        exportable(Bfloat16Inferer(), classifier)


@torch.no_grad()
def test_a_map_that_is_flat_says_the_class_everywhere(classifier):
    module = exportable(SaliencyInferer("cam"), nn.Sequential())
    module.maps.network = Flat()
    heatmap, logits = module(torch.zeros(1, 1, 64, 64))
    torch.testing.assert_close(heatmap, torch.full((1, 2, 4, 4), 0.75).logit().sigmoid())
    torch.testing.assert_close(logits, torch.full((1, 2), 0.75).logit())


class Flat(nn.Module):
    def forward(self, image):
        return torch.full((len(image), 2, 4, 4), 0.75).logit()

    def pool(self, maps):
        return maps.mean((-2, -1))


@torch.no_grad()
def test_relations_are_the_inferers():
    torch.manual_seed(0)
    network = InterPixelRelationNetwork("resnet18").eval()
    module = exportable(RelationInferer(), network)
    image = torch.randn(2, 1, 64, 96)
    for found, expected in zip(module(image), module.expected(image, RelationInferer(), network), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("inferer", "boxes", "text"),
    [
        (SaliencyInferer("gradcam", "backbone.layer4"), False, "gradcam needs gradients"),
        (MirroredInferer(SaliencyInferer("layercam", "backbone.layer4")), False, "layercam needs gradients"),
        (RelationInferer(crop_size=512), False, "crop_size"),
        (SlidingWindowInferer((64, 64)), False, "SlidingWindowInferer cannot be written"),
        (SimpleInferer(), True, "not a detector"),
    ],
)
def test_what_no_file_can_hold_is_refused(inferer, boxes, text, classifier):
    with pytest.raises(InputError, match=text):
        exportable(inferer, classifier, boxes)
