"""Every figure of one set of predictions, with patient-level confidence intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from cxr_common.evaluation.intervals import HitsReport, PooledValues, hits_report, interval
from cxr_common.evaluation.map_predictions import MapPredictions, NetworkMaps
from cxr_common.evaluation.mask_scores import segmentation_report
from cxr_common.findings.thresholds import Thresholds
from cxr_common.metrics import (
    auroc,
    average_precision,
    box_overlap,
    centre_point_hits,
    exceeds,
    mask_overlap,
    micro,
    point_hits,
    random_point_hits,
    wang_boxes,
)
from cxr_common.metrics.statistics import label_statistic

#: T of T(IoU) and T(IoBB) that are reported.
OVERLAP_LEVELS: tuple[float, ...] = (0.1, 0.25, 0.5)
#: Images whose heatmaps are held at network-input size at a time.
CHUNK = 64


def classification_report(predictions: NetworkMaps, **options: Any) -> dict[str, PooledValues]:
    """AUROC and average precision: macro, micro and per class.

    Args:
        predictions: with labels.
        options: of :func:`cxr_common.metrics.bootstrap_ci`.
    """
    scores, label, groups = predictions.logits, predictions.label, predictions.patients
    report: dict[str, PooledValues] = {}
    for name, metric in (("auroc", auroc), ("average_precision", average_precision)):
        classes = [
            interval(lambda w, c=c, m=metric: m(scores[:, c], label[:, c], w), groups, **options)
            for c in range(len(predictions.labels))
        ]
        report[name] = {
            "macro": interval(label_statistic(metric, scores, label), groups, **options),
            "micro": interval(lambda w, m=metric: micro(m, scores, label, w), groups, **options),
            "per_class": dict(zip(predictions.labels, classes, strict=True)),
        }
    return report


def point_hit_table(predictions: MapPredictions) -> np.ndarray:
    """Point-localisation hits (N, C) as published; NaN where the image has no box of the class."""
    boxes, classes = predictions.boxes()
    parts = []
    for start in range(0, len(boxes), CHUNK):
        part = slice(start, start + CHUNK)
        maps = predictions.subset(np.isin(np.arange(len(boxes)), np.arange(start, start + CHUNK))).heatmaps()
        parts.append(point_hits(maps, boxes[part], classes[part]))
    return np.concatenate(parts)


def overlap_tables(predictions: MapPredictions) -> dict[str, np.ndarray]:
    """Overlap hits (N, C) by name: box level of Wang 2017 and mask level of PYLON, each T of OVERLAP_LEVELS."""
    boxes, classes = predictions.boxes()
    tables: dict[str, list[np.ndarray]] = {}
    for start in range(0, len(boxes), CHUNK):
        part = slice(start, start + CHUNK)
        maps = predictions.subset(np.isin(np.arange(len(boxes)), np.arange(start, start + CHUNK))).heatmaps().numpy()
        truth, names = boxes[part], classes[part]
        # Only classes with a true box are scored; the others need no regions.
        detected = [
            [wang_boxes(maps[n, c]) if c in (names[n] or ()) else np.zeros((0, 4)) for c in range(maps.shape[1])]
            for n in range(len(maps))
        ]
        iobb, iou = mask_overlap(maps, truth, names)
        for level in OVERLAP_LEVELS:
            tables.setdefault(f"mask T(IoBB) > {level}", []).append(exceeds(iobb, level))
            tables.setdefault(f"mask T(IoU) > {level}", []).append(exceeds(iou, level))
            for measure, text in (("iou", "IoU"), ("iobb", "IoBB")):
                hits, _ = box_overlap(detected, truth, names, measure, level)
                tables.setdefault(f"box T({text}) > {level}", []).append(hits)
    return {name: np.concatenate(parts) for name, parts in tables.items()}


def localization_report(predictions: MapPredictions, **options: Any) -> dict[str, HitsReport]:
    """Point accuracy beside what a random and the centre pixel score, and overlap accuracies."""
    boxes, classes = predictions.boxes()
    if not any(classes):
        return {}
    count, size = len(predictions.labels), predictions.input_size
    report = {
        "point": hits_report(point_hit_table(predictions), predictions, **options),
        "point of a random pixel": hits_report(random_point_hits(boxes, classes, count, size), predictions, **options),
        "point of the centre": hits_report(centre_point_hits(boxes, classes, count, size), predictions, **options),
    }
    for name, hits in overlap_tables(predictions).items():
        report[name] = hits_report(hits, predictions, **options)
    return report


def evaluation_report(
    predictions: NetworkMaps, mask_thresholds: Thresholds | None = None, **options: Any
) -> dict[str, Any]:
    """All figures of a set of predictions.

    Args:
        predictions: what :func:`predict` gave.
        mask_thresholds: given, masks are made with them and scored too.
        options: ``n_resamples``, ``seed``, ``level`` of :func:`cxr_common.metrics.bootstrap_ci`.

    Returns:
        Plain values for JSON: image-level figures, and those of :func:`map_report`.
    """
    image_labels = classification_report(predictions, **options)
    return {"image_labels": image_labels, **map_report(predictions, mask_thresholds, **options)}


def map_report(
    predictions: MapPredictions, mask_thresholds: Thresholds | None = None, **options: Any
) -> dict[str, Any]:
    """Figures of maps, whose classes a network decided or a label gave.

    Args:
        predictions: with maps.
        mask_thresholds: see :func:`evaluation_report`, as for options.
        options: see there.

    Returns:
        Plain values for JSON: counts (with lung gates also of the images whose gate is not open), localisation where
        boxes are annotated, and segmentation where it is asked for and masks are annotated.
    """
    report = {
        "n_images": len(predictions.items),
        "n_patients": len(set(predictions.patients)),
        "localization": localization_report(predictions, **options),
    }
    if predictions.gate is not None:
        report["n_gated"] = int(np.isfinite(predictions.gate).all(1).sum())
    if mask_thresholds is not None:
        report["segmentation"] = segmentation_report(predictions, mask_thresholds, **options)
    return report
