"""Scoring a localiser: predictions, reports, thresholds."""

from cxr_common.evaluation.json_file import data_sha256, provenance, write_json
from cxr_common.evaluation.predictions import Predictions, predict
from cxr_common.evaluation.report import evaluation_report, overlap_tables, point_hit_table
from cxr_common.evaluation.run import evaluate, tune_thresholds

__all__ = [
    "Predictions",
    "data_sha256",
    "evaluate",
    "evaluation_report",
    "overlap_tables",
    "point_hit_table",
    "predict",
    "provenance",
    "tune_thresholds",
    "write_json",
]
