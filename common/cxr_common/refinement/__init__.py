"""From coarse maps to masks: IRNet's pixel relations, boundaries and random walk."""

from typing import TYPE_CHECKING

from cxr_common.lazy import lazy_attributes

if TYPE_CHECKING:
    from cxr_common.refinement.affinity import affinities, path_maxima, shifted
    from cxr_common.refinement.boundaries import Boundaries, predict_boundaries
    from cxr_common.refinement.boundary_pictures import TensorBoardBoundaries
    from cxr_common.refinement.class_walks import walk_maps
    from cxr_common.refinement.competing import refined_label_maps
    from cxr_common.refinement.heatmap_transforms import CalibrateHeatmapd, LoadHeatmapd
    from cxr_common.refinement.inferer import RelationInferer
    from cxr_common.refinement.instances import cluster_instances, drop_fragments, find_centroids
    from cxr_common.refinement.localized import attach_heatmaps, items_to_refine, localized_items
    from cxr_common.refinement.localizer_bundle import LocalizerBundle
    from cxr_common.refinement.loss import InterPixelLoss, InterPixelLosses, inter_pixel_losses
    from cxr_common.refinement.network import InterPixelRelationNetwork, relations
    from cxr_common.refinement.paths import half_plane_offsets, path_cells
    from cxr_common.refinement.pseudo_masks import class_labels, finding_masks, normalized_walk
    from cxr_common.refinement.published import from_published_irn
    from cxr_common.refinement.random_walks import chebyshev_bound, random_walk
    from cxr_common.refinement.relation_labels import (
        IGNORE,
        LabelRefiner,
        multi_label_relations,
        reduce_labels,
        single_label_relations,
    )
    from cxr_common.refinement.relation_transforms import RelationLabelsd
    from cxr_common.refinement.scoring import evaluate_refinement, tune_refinement
    from cxr_common.refinement.step_choice import choose_steps, predict_refined
    from cxr_common.refinement.training_steps import (
        calibrate_mean_shift,
        load_frozen_backbone,
        relation_parameter_groups,
    )
    from cxr_common.refinement.transforms import RefineHeatmapd
    from cxr_common.refinement.writer import BoundaryPng, PseudoMaskDatalist

__all__ = [
    "BoundaryPng",
    "PseudoMaskDatalist",
    "Boundaries",
    "CalibrateHeatmapd",
    "IGNORE",
    "InterPixelLoss",
    "InterPixelLosses",
    "InterPixelRelationNetwork",
    "LabelRefiner",
    "LoadHeatmapd",
    "LocalizerBundle",
    "RefineHeatmapd",
    "RelationInferer",
    "RelationLabelsd",
    "TensorBoardBoundaries",
    "affinities",
    "attach_heatmaps",
    "calibrate_mean_shift",
    "chebyshev_bound",
    "choose_steps",
    "class_labels",
    "cluster_instances",
    "drop_fragments",
    "evaluate_refinement",
    "find_centroids",
    "finding_masks",
    "from_published_irn",
    "half_plane_offsets",
    "inter_pixel_losses",
    "items_to_refine",
    "load_frozen_backbone",
    "localized_items",
    "multi_label_relations",
    "normalized_walk",
    "path_cells",
    "path_maxima",
    "predict_boundaries",
    "predict_refined",
    "random_walk",
    "reduce_labels",
    "refined_label_maps",
    "relation_parameter_groups",
    "relations",
    "shifted",
    "single_label_relations",
    "tune_refinement",
    "walk_maps",
]

# Whoever needs one part does not import the others.
__getattr__ = lazy_attributes(
    __name__,
    {
        "BoundaryPng": "writer",
        "PseudoMaskDatalist": "writer",
        "Boundaries": "boundaries",
        "CalibrateHeatmapd": "heatmap_transforms",
        "IGNORE": "relation_labels",
        "InterPixelLoss": "loss",
        "InterPixelLosses": "loss",
        "InterPixelRelationNetwork": "network",
        "LabelRefiner": "relation_labels",
        "LoadHeatmapd": "heatmap_transforms",
        "LocalizerBundle": "localizer_bundle",
        "RefineHeatmapd": "transforms",
        "RelationInferer": "inferer",
        "RelationLabelsd": "relation_transforms",
        "TensorBoardBoundaries": "boundary_pictures",
        "affinities": "affinity",
        "attach_heatmaps": "localized",
        "calibrate_mean_shift": "training_steps",
        "chebyshev_bound": "random_walks",
        "choose_steps": "step_choice",
        "class_labels": "pseudo_masks",
        "cluster_instances": "instances",
        "drop_fragments": "instances",
        "evaluate_refinement": "scoring",
        "find_centroids": "instances",
        "finding_masks": "pseudo_masks",
        "from_published_irn": "published",
        "half_plane_offsets": "paths",
        "inter_pixel_losses": "loss",
        "items_to_refine": "localized",
        "load_frozen_backbone": "training_steps",
        "localized_items": "localized",
        "multi_label_relations": "relation_labels",
        "normalized_walk": "pseudo_masks",
        "path_cells": "paths",
        "path_maxima": "affinity",
        "predict_boundaries": "boundaries",
        "predict_refined": "step_choice",
        "random_walk": "random_walks",
        "reduce_labels": "relation_labels",
        "refined_label_maps": "competing",
        "relation_parameter_groups": "training_steps",
        "relations": "network",
        "shifted": "affinity",
        "single_label_relations": "relation_labels",
        "tune_refinement": "scoring",
        "walk_maps": "class_walks",
    },
)
