from __future__ import annotations

import numpy as np
import pytest
import torch

from cxr_common.data.chest import chest_box, chest_gate, inside_gate, is_plausible

SQUARE = (100, 100)


def test_the_box_has_margins_and_the_images_pixels():
    lungs = np.zeros((100, 100), dtype=bool)  # row, column
    lungs[20:70, 10:90] = True
    x0, y0, x1, y1 = chest_box(lungs, (400, 200))
    assert x0 == pytest.approx(400 * 0.05, abs=4) and x1 == pytest.approx(400 * 0.95, abs=8)
    assert y0 == pytest.approx(200 * 0.17, abs=2) and y1 == pytest.approx(200 * 0.78, abs=4)


def test_crumbs_elsewhere_do_not_widen_it():
    lungs = np.zeros((100, 100), dtype=bool)
    lungs[30:70, 20:80] = True
    before = chest_box(lungs, (100, 100))
    lungs[2, 2] = lungs[98, 97] = True
    assert np.allclose(chest_box(lungs, (100, 100)), before, atol=1)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.8])
def test_masks_that_are_no_lungs_give_no_box(share):
    lungs = np.zeros((10, 100), dtype=bool)
    lungs[:, : int(100 * share)] = True
    assert not is_plausible(lungs) and chest_box(lungs, (10, 10)) is None


@pytest.fixture
def lungs():
    """Two ellipses, as in a chest of 76 columns and 64 rows."""
    row, column = np.mgrid[:100, :100]
    left, right = (((column - middle) / 16) ** 2 + ((row - 50) / 32) ** 2 < 1 for middle in (28, 72))
    return left | right


def inside(lungs, name, size=SQUARE):
    return inside_gate(chest_gate(lungs, size), [name], (100, 100))[0].numpy().T  # row, column


def test_the_gate_is_the_box_and_for_lungs_without_its_upper_corners(lungs):
    x0, y0, x1, y1 = (int(edge) for edge in chest_box(lungs, SQUARE))
    heart = inside(lungs, "Cardiomegaly")
    assert heart[y0 + 1 : y1, x0 + 1 : x1].all() and heart.sum() <= (y1 + 1 - y0) * (x1 + 1 - x0)
    mass = inside(lungs, "Mass")
    assert not (mass & ~heart).any() and not (lungs & ~mass).any()
    assert not mass[y0 + 1, x0 + 1] and not mass[y0 + 1, x1 - 1]
    assert mass[y1 - 1, x0 + 1] and mass[y1 - 1, x1 - 1]  # an effusion blunts the lower corners
    assert np.array_equal(inside(lungs, "a name of one's own"), heart)


@pytest.mark.parametrize("rows", [slice(0, 40), slice(60, 100)], ids=["upper", "lower"])
@pytest.mark.parametrize("columns", [slice(0, 50), slice(50, 100)], ids=["left", "right"])
def test_an_opaque_lobe_stays_inside(lungs, rows, columns):
    before, opaque = inside(lungs, "Consolidation"), lungs.copy()
    opaque[rows, columns] = False
    after = inside(opaque, "Consolidation")
    assert not after.all() and not (lungs & ~after).any()
    assert (before & ~after).mean() < 0.01


@pytest.mark.parametrize("columns", [slice(0, 50), slice(50, 100)])
def test_without_a_lung_nothing_is_left_out(lungs, columns):
    lungs[:, columns] = False
    assert is_plausible(lungs) and chest_gate(lungs, SQUARE).isnan().all()
    assert inside(lungs, "Mass").all()


def test_without_the_lower_half_of_both_nothing_is_left_out(lungs):
    lungs[50:] = False
    assert is_plausible(lungs) and inside(lungs, "Effusion").all()


def test_whether_lungs_are_high_is_a_matter_of_the_images_own_pixels(lungs):
    assert chest_gate(lungs, (100, 100)).isfinite().all()
    assert chest_gate(lungs, (200, 100)).isnan().all()


def test_crumbs_do_not_open_the_corners(lungs):
    before = inside(lungs, "Mass")
    lungs[2, 2] = lungs[2, 97] = True
    assert (before ^ inside(lungs, "Mass")).mean() < 0.01


def test_no_lungs_no_gate():
    gate = chest_gate(np.zeros((8, 8), bool), (8, 8))
    assert gate.isnan().all() and inside_gate(gate, ["Mass", "Effusion"], (4, 2)).shape == (2, 4, 2)


def test_the_gate_fits_maps_of_any_size():
    gate = torch.tensor([0.25, 0.5, 0.75, 1.0, 0.0])
    out = inside_gate(gate, ["Effusion"], (4, 8))[0]
    assert out.nonzero().tolist() == [[x, y] for x in (1, 2) for y in (4, 5, 6, 7)]
