from __future__ import annotations

import json

import pytest
import torch

from cxr_common.refinement import CHEXSEG, WSMIS, Walk, random_walk


def given():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 3, 9, 8, generator=generator), torch.rand(2, 1, 9, 8, generator=generator)


def test_one_number_of_steps_is_the_random_walk():
    maps, boundary = given()
    expected = random_walk(maps, boundary, radius=3, beta=5, steps=8)
    assert torch.equal(CHEXSEG(maps, boundary, ["a", "b", "c"]), expected)


def test_every_class_walks_its_own_number_of_steps():
    maps, boundary = given()
    out = Walk(4, 10, {"c": 2, "a": 2, "b": 0, "unused": 9})(maps, boundary, ["a", "b", "c"])
    for c, steps in enumerate((2, 0, 2)):
        own = random_walk(maps[:, c : c + 1], boundary, radius=4, beta=10, steps=steps)
        assert torch.allclose(out[:, c : c + 1], own, atol=1e-6)


@pytest.mark.parametrize("walk", [WSMIS, Walk(5, 10.0, {"a": 1})])
def test_comes_back_from_json(walk):
    assert Walk.from_dict(json.loads(json.dumps(walk.as_dict()))) == walk


@pytest.mark.parametrize(
    "raw",
    [{"radius": 1}, {"radius": 2.5}, {"beta": 0}, {"steps": -1}, {"steps": {"a": 1.5}}, {"steps": True}, {"length": 3}],
)
def test_settings_that_make_no_sense_are_refused(raw):
    with pytest.raises(ValueError, match="radius|beta"):
        Walk.from_dict(CHEXSEG.as_dict() | raw)


def test_a_walk_is_not_guessed_from_a_part():
    with pytest.raises(ValueError, match="a walk has radius, beta and steps"):
        Walk.from_dict({"radius": 3})


def test_a_class_without_steps_is_named():
    with pytest.raises(ValueError, match="no number of steps for b"):
        Walk(steps={"a": 1}).steps_of(["a", "b"])
