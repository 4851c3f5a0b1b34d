from __future__ import annotations

import pytest

from cxr_common.refinement import half_plane_offsets, path_cells
from tests.golden import load


@pytest.mark.parametrize("radius", [3, 5, 10])
def test_offsets_and_paths_are_the_published_ones(radius):
    golden = load("irn_paths")
    offsets = half_plane_offsets(radius)
    assert [(dy, dx) for dx, dy in offsets] == [tuple(o) for o in golden[f"r{radius}_offsets"].tolist()]
    for offset, length, path in zip(offsets, golden[f"r{radius}_lengths"], golden[f"r{radius}_paths"]):
        assert [(y, x) for x, y in path_cells(offset)] == [tuple(c) for c in path[:length].tolist()]


@pytest.mark.parametrize(("radius", "offsets", "cells"), [(2, 2 + 2, None), (5, 34, 242), (10, 152, 2134)])
def test_counts(radius, offsets, cells):
    found = half_plane_offsets(radius)
    assert len(found) == offsets
    if cells:
        assert sum(len(path_cells(offset)) for offset in found) == cells


@pytest.mark.parametrize("radius", [2, 3, 6])
def test_one_of_each_opposite_pair(radius):
    half = set(half_plane_offsets(radius))
    other = {(-dx, -dy) for dx, dy in half}
    assert not half & other
    reach = range(-radius, radius + 1)
    assert half | other == {(x, y) for x in reach for y in reach if 0 < x * x + y * y < radius * radius}


@pytest.mark.parametrize("offset", half_plane_offsets(6))
def test_path_has_its_ends_and_no_gap_at_a_corner(offset):
    cells = path_cells(offset)
    assert (0, 0) in cells and offset in cells
    reached = {(0, 0)}
    for _ in cells:
        reached |= {(x, y) for x, y in cells if any(abs(x - a) + abs(y - b) == 1 for a, b in reached)}
    assert reached == set(cells)


def test_transposed_offset_has_the_transposed_path():
    for dx, dy in half_plane_offsets(7):
        assert {(y, x) for x, y in path_cells((dx, dy))} == set(path_cells((dy, dx)))


@pytest.mark.parametrize("radius", [1, 0, -3])
def test_small_radius_is_refused(radius):
    with pytest.raises(ValueError, match="at least 2"):
        half_plane_offsets(radius)
