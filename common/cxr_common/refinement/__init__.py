"""From coarse maps to masks: IRNet's pixel relations, boundaries and random walk."""

from cxr_common.findings.walk import CHEXSEG, WSMIS, Walk
from cxr_common.refinement.affinity import affinities, path_maxima, shifted
from cxr_common.refinement.crf import CrfSettings, dense_crf, mean_field, refine_labels, unary_from_labels
from cxr_common.refinement.inferer import RelationInferer
from cxr_common.refinement.instances import cluster_instances, drop_fragments, find_centroids
from cxr_common.refinement.paths import half_plane_offsets, path_cells
from cxr_common.refinement.pseudo_masks import class_labels, finding_masks, normalized_walk
from cxr_common.refinement.random_walk import chebyshev_bound, random_walk
from cxr_common.refinement.relation_labels import (
    IGNORE,
    LabelRefiner,
    multi_label_relations,
    reduce_labels,
    single_label_relations,
)
from cxr_common.refinement.walk import walk_maps

__all__ = [
    "CHEXSEG",
    "IGNORE",
    "WSMIS",
    "CrfSettings",
    "LabelRefiner",
    "RelationInferer",
    "Walk",
    "affinities",
    "chebyshev_bound",
    "class_labels",
    "cluster_instances",
    "dense_crf",
    "drop_fragments",
    "find_centroids",
    "finding_masks",
    "half_plane_offsets",
    "mean_field",
    "multi_label_relations",
    "normalized_walk",
    "path_cells",
    "path_maxima",
    "random_walk",
    "reduce_labels",
    "refine_labels",
    "shifted",
    "single_label_relations",
    "unary_from_labels",
    "walk_maps",
]
