"""Scoring a localiser, segmenter or detector: predictions, reports, thresholds."""

from cxr_common.evaluation.boundaries import Boundaries, predict_boundaries
from cxr_common.evaluation.competing import evaluate_label_maps, refined_label_maps
from cxr_common.evaluation.detector import (
    DetectorPredictions,
    detect,
    detector_report,
    evaluate_detector,
    tune_detector,
)
from cxr_common.evaluation.predictions import Predictions, predict
from cxr_common.evaluation.provenance import data_sha256, provenance
from cxr_common.evaluation.refinement import choose_steps, evaluate_refinement, predict_refined, tune_refinement
from cxr_common.evaluation.report import evaluation_report, overlap_tables, point_hit_table
from cxr_common.evaluation.run import evaluate, tune_thresholds
from cxr_common.evaluation.segmentation import counts_at_thresholds, mask_tables, segmentation_report

__all__ = [
    "Boundaries",
    "DetectorPredictions",
    "Predictions",
    "choose_steps",
    "counts_at_thresholds",
    "data_sha256",
    "detect",
    "detector_report",
    "evaluate",
    "evaluate_detector",
    "evaluate_label_maps",
    "evaluate_refinement",
    "evaluation_report",
    "mask_tables",
    "overlap_tables",
    "point_hit_table",
    "predict",
    "predict_boundaries",
    "predict_refined",
    "provenance",
    "refined_label_maps",
    "segmentation_report",
    "tune_detector",
    "tune_refinement",
    "tune_thresholds",
]
