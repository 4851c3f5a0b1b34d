from __future__ import annotations

import pytest
import torch

from cxr_common.refinement import InterPixelRelationNetwork, relations
from cxr_common.refinement.inferer import RelationInferer


def test_one_tensor_of_boundary_probability_and_displacement():
    torch.manual_seed(0)
    network, image = InterPixelRelationNetwork("resnet18").eval(), torch.randn(2, 1, 64, 80)
    with torch.no_grad():
        out = RelationInferer(crop_size=96)(image, network)
        boundary, displacement = relations(network, image, 96)
    assert out.shape == (2, 3, 16, 20)
    torch.testing.assert_close(out[:, :1], boundary)
    torch.testing.assert_close(out[:, 1:], displacement)
    assert 0 <= out[:, 0].min() <= out[:, 0].max() <= 1


def test_an_image_larger_than_the_padded_size_is_padded_to_a_square():
    torch.manual_seed(0)
    network, image = InterPixelRelationNetwork("resnet18").eval(), torch.randn(1, 1, 64, 96)
    with torch.no_grad():
        torch.testing.assert_close(
            RelationInferer(crop_size=72)(image, network), RelationInferer(crop_size=96)(image, network)
        )


def test_a_mirrored_image_has_mirrored_boundaries():
    torch.manual_seed(0)
    network, image = InterPixelRelationNetwork("resnet18").eval().double(), torch.randn(1, 1, 64, 64).double()
    infer = RelationInferer()
    with torch.no_grad():
        torch.testing.assert_close(infer(image.flip(-2), network)[:, 0], infer(image, network)[:, 0].flip(-2))


def test_anything_more_is_refused():
    with pytest.raises(TypeError):
        RelationInferer()(torch.zeros(1, 1, 64, 64), InterPixelRelationNetwork("resnet18"), 1)
