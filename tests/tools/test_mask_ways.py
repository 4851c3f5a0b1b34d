from __future__ import annotations

from cxr_common.findings import Walk
from tools.mask_ways import walk_of


def test_a_walk_of_several_numbers_of_steps_is_chosen_on_masks(monkeypatch):
    assert walk_of({"radius": 3, "beta": 5, "steps": 8}, None, 2) == Walk(3, 5, 8)
    asked = []
    monkeypatch.setattr("tools.mask_ways.choose_steps", lambda *given: asked.append(given))
    walk_of({"radius": 5, "beta": 10, "steps": [0, 4]}, "boundaries", 2)
    assert asked == [("boundaries", Walk(5, 10, 2), [0, 4])]
