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
from cxr_common.metrics.box_handler import BoxPrecision
from cxr_common.metrics.cardiothoracic import cardiothoracic_ratio
from cxr_common.metrics.classification import (
    auroc,
    average_precision,
    image_label_scores,
    macro_average,
    micro,
    per_class,
    support_average,
)
from cxr_common.metrics.coco import AREAS, IOU_LEVELS, average_precisions, coco_hits, maximal_recalls
from cxr_common.metrics.froc import FROC_RATES, LesionHits, froc_curve, froc_sensitivity, lesion_fractions, lesion_hits
from cxr_common.metrics.handlers import ImageLabelMetrics, PointLocalization
from cxr_common.metrics.label_map_handler import LabelMapIoU
from cxr_common.metrics.mask_counts import (
    MaskCounts,
    area_ratio,
    dataset_iou,
    image_dice,
    image_iou,
    mask_counts,
    share_inside,
    threshold_counts,
)
from cxr_common.metrics.mask_handler import MaskIoU
from cxr_common.metrics.overlap import box_overlap, exceeds, mask_overlap, wang_boxes
from cxr_common.metrics.points import (
    HitRates,
    chexlocalize_hits,
    hit_rates,
    point_hits,
    point_hits_in_masks,
    points_in_boxes,
)
from cxr_common.metrics.ranked_boxes import Detections, box_image_scores

__all__ = [
    "AREAS",
    "BoxPrecision",
    "Detections",
    "FROC_RATES",
    "HitRates",
    "IOU_LEVELS",
    "ImageLabelMetrics",
    "Interval",
    "LesionHits",
    "MaskCounts",
    "LabelMapIoU",
    "MaskIoU",
    "PointLocalization",
    "area_ratio",
    "auroc",
    "average_precision",
    "average_precisions",
    "bootstrap",
    "bootstrap_ci",
    "box_image_scores",
    "box_overlap",
    "cardiothoracic_ratio",
    "centre_maps",
    "centre_point_hits",
    "chexlocalize_hits",
    "coco_hits",
    "dataset_iou",
    "exceeds",
    "froc_curve",
    "froc_sensitivity",
    "hit_rates",
    "image_dice",
    "image_iou",
    "image_label_scores",
    "lesion_fractions",
    "lesion_hits",
    "macro_average",
    "mask_counts",
    "mask_overlap",
    "maximal_recalls",
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
    "share_inside",
    "support_average",
    "threshold_counts",
    "wang_boxes",
]
