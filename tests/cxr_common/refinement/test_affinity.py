from __future__ import annotations

import pytest
import torch

from cxr_common.axes import picture_to_tensor, tensor_to_picture
from cxr_common.refinement import affinities, half_plane_offsets, path_cells, path_maxima, shifted
from tests.golden import load


@pytest.mark.parametrize("case", range(3))
def test_affinities_are_the_published_ones(case):
    golden = load("irn_affinity")
    boundary = picture_to_tensor(torch.from_numpy(golden[f"edge{case}"]))[None, None]
    found = tensor_to_picture(affinities(boundary, int(golden[f"radius{case}"])))[0]
    torch.testing.assert_close(found.float(), torch.from_numpy(golden[f"aff{case}"]), atol=1e-6, rtol=0)


@pytest.mark.parametrize(("radius", "size"), [(2, (5, 4)), (4, (9, 13)), (5, (3, 2))])
def test_maxima_of_every_pixel(radius, size):
    boundary = torch.rand((2, 1, *size), generator=torch.Generator().manual_seed(1))
    maxima = path_maxima(boundary, radius)
    assert maxima.shape == (2, len(half_plane_offsets(radius)), *size)
    for index, (dx, dy) in enumerate(half_plane_offsets(radius)):
        for x in range(size[0]):
            for y in range(size[1]):
                inside = 0 <= x + dx < size[0] and 0 <= y + dy < size[1]
                path = [boundary[:, 0, x + i, y + j] for i, j in path_cells((dx, dy))] if inside else [torch.ones(2)]
                assert torch.equal(maxima[:, index, x, y], torch.stack(path).amax(0))


def test_affinities_are_those_of_interior_sources():
    boundary = torch.rand((2, 1, 14, 11), generator=torch.Generator().manual_seed(2))
    assert torch.equal(affinities(boundary, 4), shifted(1 - path_maxima(boundary, 4), (0, 0), 4))


def test_shifted_gives_the_partner():
    x, y = torch.meshgrid(torch.arange(12.0), torch.arange(9.0), indexing="ij")
    places = torch.stack((x, y))
    for dx, dy in half_plane_offsets(4):
        distance = shifted(places, (dx, dy), 4) - shifted(places, (0, 0), 4)
        assert torch.equal(distance[0].unique(), torch.tensor([float(dx)]))
        assert torch.equal(distance[1].unique(), torch.tensor([float(dy)]))


def _by_autograd(boundary, radius):
    planes = [
        torch.stack([shifted(boundary[:, 0], cell, radius) for cell in path_cells(offset)]).amax(0)
        for offset in half_plane_offsets(radius)
    ]
    return 1 - torch.stack(planes, 1)


@pytest.mark.parametrize("radius", [3, 10])
def test_gradient_is_that_of_the_maxima(radius):
    generator = torch.Generator().manual_seed(3)
    boundary = torch.rand((2, 1, 24, 20), generator=generator, dtype=torch.float64).requires_grad_()
    weight = torch.rand(affinities(boundary, radius).shape, generator=generator, dtype=torch.float64)
    (expected,) = torch.autograd.grad((_by_autograd(boundary, radius) * weight).sum(), boundary)
    (found,) = torch.autograd.grad((affinities(boundary, radius) * weight).sum(), boundary)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_gradient_of_the_padded_form():
    boundary = torch.rand((1, 1, 5, 6), generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda b: path_maxima(b, 3), (boundary.requires_grad_(),))


def test_a_tie_sends_the_gradient_to_one_cell():
    boundary = torch.full((1, 1, 16, 12), 0.5, requires_grad=True)
    found = affinities(boundary, 4)
    found.sum().backward()
    assert boundary.grad.sum().item() == -found.numel()


def test_transposed_layout_of_the_input_changes_nothing():
    boundary = torch.rand((2, 1, 9, 14), generator=torch.Generator().manual_seed(5)).mT.requires_grad_()
    plain = boundary.detach().contiguous().requires_grad_()
    for field in (boundary, plain):
        affinities(field, 4).square().sum().backward()
    torch.testing.assert_close(boundary.grad, plain.grad)


@pytest.mark.parametrize(
    "boundary", [torch.rand(4, 4), torch.rand(1, 2, 20, 20), torch.zeros(1, 1, 20, 20, dtype=torch.uint8)]
)
def test_other_shapes_and_dtypes_are_refused(boundary):
    with pytest.raises(ValueError, match="boundary must be"):
        path_maxima(boundary, 5)


def test_a_grid_without_interior_source_is_refused():
    with pytest.raises(ValueError, match="no interior source"):
        affinities(torch.rand(1, 1, 18, 20), 10)
