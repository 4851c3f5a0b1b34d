"""Scoring a localiser, segmenter or detector: predictions, reports, thresholds."""

from cxr_common.evaluation.box_predictions import BoxPredictions
from cxr_common.evaluation.label_map_scores import evaluate_label_maps
from cxr_common.evaluation.map_predictions import MapPredictions, NetworkMaps, predict
from cxr_common.evaluation.map_scoring import evaluate, tune_thresholds
from cxr_common.evaluation.mask_scores import counts_at_thresholds, mask_tables, segmentation_report
from cxr_common.evaluation.metrics_report import evaluation_report, overlap_tables, point_hit_table
from cxr_common.evaluation.predictions import Predictions
from cxr_common.evaluation.provenance import data_sha256, provenance
from cxr_common.evaluation.run import score, tune
from cxr_common.evaluation.strategy import Strategy

__all__ = [
    "BoxPredictions",
    "MapPredictions",
    "NetworkMaps",
    "Predictions",
    "Strategy",
    "counts_at_thresholds",
    "data_sha256",
    "evaluate",
    "evaluate_label_maps",
    "evaluation_report",
    "mask_tables",
    "overlap_tables",
    "point_hit_table",
    "predict",
    "provenance",
    "score",
    "segmentation_report",
    "tune",
    "tune_thresholds",
]
