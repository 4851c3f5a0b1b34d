"""Figures of predicted masks against annotated ones, in the geometry of the originals and at network resolution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxr_common.boxes import scale_boxes
from cxr_common.data.masks import Mask, load_masks, resize_mask
from cxr_common.evaluation.intervals import ClassValues, HitsReport, hits_report, interval
from cxr_common.evaluation.map_predictions import MapPredictions
from cxr_common.findings.extraction import threshold_map
from cxr_common.findings.thresholds import Thresholds
from cxr_common.metrics import (
    MaskCounts,
    chexlocalize_hits,
    dataset_iou,
    image_dice,
    image_iou,
    mask_counts,
    threshold_counts,
)
from cxr_common.metrics.statistics import iou_statistic

GEOMETRIES = ("original", "network")


class IouReport(ClassValues):
    """IoU of the data set, how many images are annotated with each class, and how many have it."""

    pairs: dict[str, int]
    present: dict[str, int]


def has_masks(predictions: MapPredictions) -> bool:
    """Whether any class of any image is annotated with a mask, empty ones included."""
    return any(item.get("mask") for item in predictions.items)


def true_masks(predictions: MapPredictions) -> Iterator[list[Mask | None]]:
    """The annotated masks of each image, one per class, in the geometry of the original; None = not annotated."""
    for item, (width, height) in zip(predictions.items, predictions.sizes, strict=True):
        yield load_masks(item, predictions.labels, (int(width), int(height)))


def box_masks(predictions: MapPredictions) -> Iterator[list[Mask | None]]:
    """The pixels in any true box of each class, image by image, at the network's input size; None = no box of it."""
    for boxes, classes in zip(*predictions.boxes(), strict=True):
        found: dict[int, Mask] = {}
        for box, c in zip(boxes if boxes is not None else (), classes or (), strict=True):
            x0, y0, x1, y1 = np.rint(box).astype(int)
            found.setdefault(c, np.zeros(predictions.input_size, bool))[x0:x1, y0:y1] = True
        yield [found.get(c) for c in range(len(predictions.labels))]


def chest_masks(predictions: MapPredictions) -> Iterator[list[Mask | None]]:
    """The pixels in the box around the chest (key "chest"), for each class that has a true box; else as above."""
    for item, size, boxed in zip(predictions.items, predictions.sizes, box_masks(predictions), strict=True):
        chest = None
        if item.get("chest") is not None:
            chest = np.zeros(predictions.input_size, bool)
            ((x0, y0, x1, y1),) = np.rint(scale_boxes([item["chest"]], size, predictions.input_size)).astype(int)
            chest[x0:x1, y0:y1] = True
        yield [None if mask is None else chest for mask in boxed]


def counts_at_thresholds(predictions: MapPredictions, thresholds: Sequence[float]) -> MaskCounts:
    """Pixel counts (T, N, C) at network resolution of every threshold on the probability, no decision in between."""
    size = predictions.input_size
    truth = ([None if m is None else resize_mask(m, size) for m in masks] for masks in true_masks(predictions))
    return threshold_counts(predictions.each_heatmap(), truth, thresholds)


def mask_tables(
    predictions: MapPredictions, thresholds: Thresholds
) -> dict[str, tuple[MaskCounts, NDArray[np.float64]]]:
    """Compare the masks of a set of predictions with the annotated ones.

    A predicted mask is what :class:`~cxr_common.segmentation.SegmentFindingsd` makes: the pixels above the class's
    threshold, none where the class is not decided present.

    Args:
        predictions: items with ``mask``.
        thresholds: decision and mask thresholds.

    Returns:
        For "original" (maps resized to each image) and "network" (true masks resized to the network's input): pixel
        counts (N, C), and whether the map's largest pixel lies in the true mask (N, C), by CheXlocalize's rule of ties;
        NaN where that is empty or there is none.
    """
    labels = predictions.labels
    decided = predictions.decided(thresholds.decision)
    counts: dict[str, list[MaskCounts]] = {name: [] for name in GEOMETRIES}
    hits: dict[str, list[NDArray[np.float64]]] = {name: [] for name in GEOMETRIES}
    for n, (maps, truth) in enumerate(zip(predictions.each_heatmap(), true_masks(predictions), strict=True)):
        width, height = predictions.sizes[n]
        for name, size in (("original", (int(width), int(height))), ("network", predictions.input_size)):
            masks: list[Mask] = [np.zeros(size, dtype=bool)] * len(labels)
            true: list[Mask | None] = [None if mask is None else resize_mask(mask, size) for mask in truth]
            hit = np.full((1, len(labels)), np.nan)
            for c, label in enumerate(labels):
                if true[c] is None:
                    continue
                mask, heat = threshold_map(maps[c], size, thresholds.mask[label], thresholds.mask_mode)
                masks[c] = mask & decided[n, c]
                hit[:, [c]] = chexlocalize_hits(heat[None, None], [[true[c]]])
            counts[name].append(mask_counts([masks], [true]))
            hits[name].append(hit)
    return {name: (MaskCounts.concatenate(counts[name]), np.concatenate(hits[name])) for name in GEOMETRIES}


def segmentation_report(
    predictions: MapPredictions, thresholds: Thresholds, **options: Any
) -> dict[str, dict[str, HitsReport | IouReport]]:
    """IoU, Dice and hit rate with intervals, for both geometries.

    Args:
        predictions: what :func:`~cxr_common.evaluation.predict` gave.
        thresholds: decision and mask thresholds.
        options: of :func:`cxr_common.metrics.bootstrap_ci`.

    Returns:
        Plain values; nothing where no mask is annotated.
    """
    if not has_masks(predictions):
        return {}
    report: dict[str, dict[str, HitsReport | IouReport]] = {}
    for name, (counts, hits) in mask_tables(predictions, thresholds).items():
        tables = {
            "iou of images": image_iou(counts),
            "iou of images, true positives": image_iou(counts, true_positives=True),
            "dice": image_dice(counts),
            "dice where present": image_dice(counts, present_only=True),
            "hit rate": hits,
        }
        overall = dataset_iou_report(counts, predictions.patients, predictions.labels, **options)
        report[name] = {"iou of the data set": overall}
        report[name] |= {key: hits_report(values, predictions, **options) for key, values in tables.items()}
    return report


def dataset_iou_report(counts: MaskCounts, groups: Sequence[str], labels: Sequence[str], **options: Any) -> IouReport:
    """Data-set IoU: macro (CheXseg's and VOC's mIoU) and per class, annotated images, and those that have the class.

    Args:
        counts: (N, C).
        groups: N, what the bootstrap draws.
        labels: C class names.
        options: of :func:`cxr_common.metrics.bootstrap_ci`.
    """
    classes = [interval(lambda w, c=c: dataset_iou(counts, w)[..., c], groups, **options) for c in range(len(labels))]
    return {
        "macro": interval(iou_statistic(counts), groups, **options),
        "per_class": dict(zip(labels, classes, strict=True)),
        "pairs": dict(zip(labels, np.isfinite(counts.true).sum(0).tolist(), strict=True)),
        "present": dict(zip(labels, (counts.true > 0).sum(0).tolist(), strict=True)),
    }
