"""Changes of pictures are replayed by seed, and turns are what their names say."""

from __future__ import annotations

import torch

from cxr_common.data.picture_test.thumbnail import SIDE
from tools.picture_test.change import TURNS, Varied


def test_turns():
    picture = torch.zeros(1, 8, 8)
    picture[:, :2] = 1  # the head
    assert torch.equal(TURNS["upright"](picture), picture)
    assert TURNS["upside down"](picture)[:, -2:].all()
    assert TURNS["head left"](picture)[:, :, :2].all() and TURNS["head right"](picture)[:, :, -2:].all()
    assert torch.equal(TURNS["inverted"](picture), 1 - picture)


def test_a_seed_gives_the_same_changes():
    pictures = torch.randint(0, 256, (5, 96, 96), dtype=torch.uint8)
    first, again, other = Varied(1)(pictures), Varied(1)(pictures), Varied(2)(pictures)
    assert first.shape == (5, SIDE, SIDE) and first.min() >= 0 and first.max() <= 1
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_pictures_stay_upright():
    pictures = torch.zeros(40, 96, 96, dtype=torch.uint8)
    pictures[:, :40] = 200
    changed = Varied(3)(pictures)
    assert (changed[:, 10:25, 24:40].mean((1, 2)) > changed[:, 40:55, 24:40].mean((1, 2))).all()
