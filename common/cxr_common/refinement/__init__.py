"""From coarse maps to masks: IRNet's pixel relations, boundaries and random walk."""

from cxr_common.refinement.affinity import affinities, path_maxima, shifted
from cxr_common.refinement.paths import half_plane_offsets, path_cells
from cxr_common.refinement.random_walk import chebyshev_bound, random_walk

__all__ = [
    "affinities",
    "chebyshev_bound",
    "half_plane_offsets",
    "path_cells",
    "path_maxima",
    "random_walk",
    "shifted",
]
