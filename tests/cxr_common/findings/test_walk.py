from __future__ import annotations

import json

import pytest

from cxr_common.findings.walk import CHEXSEG, WSMIS, Walk


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
