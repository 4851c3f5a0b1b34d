"""Metrics: pure functions on arrays, bootstrap intervals over patients, baselines, and ignite handlers."""

from cxr_common.metrics.baselines import centre_maps, centre_point_hits, random_maps, random_point_hits
from cxr_common.metrics.bootstrap import (
    Interval,
    bootstrap,
    bootstrap_ci,
    miss_reduction,
    paired_difference,
    paired_miss_reduction,
    patient_counts,
)
from cxr_common.metrics.classification import (
    auroc,
    average_precision,
    image_label_scores,
    macro_average,
    micro,
    per_class,
    support_average,
)
from cxr_common.metrics.handlers import ImageLabelMetrics, PointLocalization
from cxr_common.metrics.localization import (
    HitRates,
    hit_rates,
    point_hits,
    point_hits_in_masks,
    points_in_boxes,
    upsample_heatmaps,
)
from cxr_common.metrics.mask_handler import MaskIoU
from cxr_common.metrics.overlap import box_overlap, exceeds, mask_overlap, wang_boxes
from cxr_common.metrics.segmentation import (
    MaskCounts,
    dataset_iou,
    image_dice,
    image_iou,
    mask_counts,
    threshold_counts,
)

__all__ = [
    "HitRates",
    "ImageLabelMetrics",
    "Interval",
    "MaskCounts",
    "MaskIoU",
    "PointLocalization",
    "auroc",
    "average_precision",
    "bootstrap",
    "bootstrap_ci",
    "box_overlap",
    "centre_maps",
    "centre_point_hits",
    "dataset_iou",
    "exceeds",
    "hit_rates",
    "image_dice",
    "image_iou",
    "image_label_scores",
    "macro_average",
    "mask_counts",
    "mask_overlap",
    "micro",
    "miss_reduction",
    "paired_difference",
    "paired_miss_reduction",
    "patient_counts",
    "per_class",
    "point_hits",
    "point_hits_in_masks",
    "points_in_boxes",
    "random_maps",
    "random_point_hits",
    "support_average",
    "threshold_counts",
    "upsample_heatmaps",
    "wang_boxes",
]
