from __future__ import annotations

import torch

from cxr_common.findings import CHEXSEG, Walk
from cxr_common.refinement import random_walk, walk_maps
from cxr_common.refinement.class_walks import walk_inside


def given():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 9, 8, generator=generator), torch.rand(2, 1, 9, 8, generator=generator)


def test_one_number_of_steps_is_the_random_walk():
    maps, boundary = given()
    expected = random_walk(maps, boundary, radius=3, beta=5, steps=8)
    assert torch.equal(walk_maps(CHEXSEG, maps, boundary, ["a", "b", "c"]), expected)


def test_every_class_walks_its_own_number_of_steps():
    maps, boundary = given()
    out = walk_maps(Walk(4, 10, {"c": 2, "a": 2, "b": 0, "unused": 9}), maps, boundary, ["a", "b", "c"])
    for c, steps in enumerate((2, 0, 2)):
        own = random_walk(maps[:, c : c + 1], boundary, radius=4, beta=10, steps=steps)
        assert torch.allclose(out[:, c : c + 1], own, atol=1e-6)


def test_a_gate_acts_before_or_after_the_walk():
    maps, boundary = (tensor[:1] for tensor in given())
    gate, names = torch.tensor([0.0, 0.0, 0.5, 1.0, 0.0]), ["Effusion", "Cardiomegaly", "Pneumothorax"]
    inside = torch.zeros(9, 8)
    inside[:5] = 1  # the fifth cell's centre lies on the edge

    def walked(gated, gate=gate):
        return walk_inside(CHEXSEG, maps, boundary, names, gate, gated)

    plain = walk_maps(CHEXSEG, maps, boundary, names)
    assert torch.equal(walked(None), plain) and torch.equal(walked("after", None), plain)
    assert torch.equal(walked("after"), plain * inside)
    assert torch.equal(walked("before"), walk_maps(CHEXSEG, maps * inside, boundary, names))
    assert walked("before")[..., 5:, :].max() > 0  # the walk leads out of it again
    assert torch.equal(walked("after", torch.full((5,), torch.nan)), plain)
