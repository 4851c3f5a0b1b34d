from __future__ import annotations

import torch

from cxr_common.findings import CHEXSEG, Walk
from cxr_common.refinement import random_walk, walk_maps


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
