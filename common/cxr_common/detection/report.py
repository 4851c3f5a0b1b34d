"""Every figure of detected boxes, with patient-level confidence intervals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cxr_common.metrics.bootstrap import IntervalValues, bootstrap
from cxr_common.metrics.classification import auroc, macro_average, per_class
from cxr_common.metrics.coco import AREAS, IOU_LEVELS, average_precisions, coco_hits
from cxr_common.metrics.froc import FROC_RATES, HIT_RULES, LesionHits, froc_sensitivity, lesion_fractions, lesion_hits
from cxr_common.metrics.ranked_boxes import Detections, Truth, TruthLabels, box_image_scores, of_known_classes

Array = NDArray[np.float64]
#: IoU levels reported by themselves, beside the mean over IOU_LEVELS.
SINGLE_LEVELS: dict[str, float] = {"AP40": 0.4, "AP50": 0.5, "AP75": 0.75}

#: Such as a rate of false positives -> its sensitivity.
Named = dict[str, IntervalValues]


class Rates(TypedDict):
    """Figures of all lesions together, and of each class."""

    pooled: Named
    per_class: dict[str, Named]


def detection_report(
    detected: Sequence[Detections],
    boxes: Truth,
    box_labels: TruthLabels,
    labels: Sequence[str],
    patients: Sequence[str],
    image_labels: ArrayLike | None = None,
    known: ArrayLike | None = None,
    threshold: float | Sequence[float] = 0.5,
    iou: float = 0.4,
    areas: Mapping[str, tuple[float, float]] = AREAS,
    **options: Any,
) -> dict[str, Any]:
    """AP, FROC, LLF and image-level AUROC of a detector.

    Args:
        detected: detections of N images, low scores included: AP and FROC need them.
        boxes: true boxes of each image in the same pixels; None = not annotated, and left out of all but the AUROC.
        box_labels: their class indices.
        labels: C class names.
        patients: of each image.
        image_labels: (N, C) for the AUROC of the best box's score; None: no AUROC.
        known: (N, C) whether an image is annotated with boxes of a class, for all but the AUROC; None: of all classes
            where it has boxes. See :func:`~cxr_common.metrics.ranked_boxes.of_known_classes`.
        threshold: score from which a box counts for LLF and NLF; or one for each class.
        iou: overlap that counts as a hit for FROC, LLF and NLF by the rule ``iou``.
        areas: limits of object sizes by name, see :data:`~cxr_common.metrics.AREAS`.
        options: ``n_resamples``, ``seed``, ``level`` of :func:`cxr_common.metrics.bootstrap`.

    Returns:
        Plain values for JSON. Every figure is a value with its interval, see :class:`~cxr_common.metrics.Interval`.
    """
    seen: tuple[Sequence[Detections], Truth, TruthLabels] = (detected, boxes, box_labels)
    if known is not None:
        seen = of_known_classes(*seen, known)
    places = [n for n, true in enumerate(seen[1]) if true is not None]
    annotated = ([seen[0][n] for n in places], [seen[1][n] for n in places], [seen[2][n] for n in places])
    classes = np.concatenate([np.zeros(0, int), *(np.asarray(names, dtype=int) for names in annotated[2] if names)])
    report: dict[str, Any] = {
        "n_images": len(detected),
        "n_annotated": len(places),
        "n_boxes": {name: int((classes == c).sum()) for c, name in enumerate(labels)},
    }
    if places:
        groups = [patients[n] for n in places]
        report["average_precision"] = {
            name: _precision_report(annotated, labels, groups, area, **options) for name, area in areas.items()
        }
        report["froc"], report["localization_fractions"] = {}, {"threshold": np.asarray(threshold).tolist()}
        # Excess over the class' own threshold, so that all classes are cut at 0.
        limits = np.broadcast_to(np.asarray(threshold, dtype=np.float64), len(labels))
        excess = [
            Detections(d.boxes, np.asarray(d.scores) - limits[np.asarray(d.labels, dtype=int)], d.labels)
            for d in annotated[0]
        ]
        for rule in HIT_RULES:
            hits = lesion_hits(*annotated, rule=rule, iou=iou)
            report["froc"][rule] = _of_classes(hits, labels, lambda h: _froc_values(h, groups, **options))
            report["localization_fractions"][rule] = _of_classes(
                lesion_hits(excess, *annotated[1:], rule=rule, iou=iou),
                labels,
                lambda h: _fraction_values(h, 0.0, groups, **options),
            )
    if image_labels is not None:
        scores, y = box_image_scores(detected, len(labels)), np.asarray(image_labels, dtype=np.float64)

        def areas_under(w: Array) -> Array:
            values = per_class(auroc, scores, y, w)
            return np.concatenate((macro_average(values)[..., None], values), axis=-1)

        macro, *each = _intervals(areas_under, patients, **options)
        report["image_auroc"] = {"macro": macro, "per_class": dict(zip(labels, each, strict=True))}
    return report


def _precision_report(
    annotated: tuple[list, list, list],
    labels: Sequence[str],
    groups: Sequence[str],
    area: tuple[float, float],
    **options: Any,
) -> dict[str, IntervalValues | dict[str, Named]]:
    hits = coco_hits(annotated[0], annotated[1], annotated[2], num_classes=len(labels), area=area)
    single = [IOU_LEVELS.index(level) for level in SINGLE_LEVELS.values()]

    def values(w: Array) -> Array:
        ap = average_precisions(hits, w)  # (R, T, C)
        rows = np.concatenate((ap.mean(-2, keepdims=True), ap[..., single, :]), axis=-2)
        return np.concatenate((macro_average(rows)[..., None], rows), axis=-1).reshape(len(w), -1)

    names = ("AP", *SINGLE_LEVELS)
    found = np.reshape(np.array(_intervals(values, groups, **options), dtype=object), (len(names), -1))
    per_name = [dict(zip(names, column, strict=True)) for column in found.T]
    return {**per_name[0], "per_class": dict(zip(labels, per_name[1:], strict=True))}


def _of_classes(hits: LesionHits, labels: Sequence[str], values: Callable[[LesionHits], Named]) -> Rates:
    return {"pooled": values(hits), "per_class": {name: values(hits.of_class(c)) for c, name in enumerate(labels)}}


def _froc_values(hits: LesionHits, groups: Sequence[str], **options: Any) -> Named:
    def values(w: Array) -> Array:
        sensitivity = froc_sensitivity(hits, FROC_RATES, w)
        return np.concatenate((sensitivity, sensitivity.mean(-1, keepdims=True)), axis=-1)

    names = (*(f"{rate:g}" for rate in FROC_RATES), "mean")
    return dict(zip(names, _intervals(values, groups, **options), strict=True))


def _fraction_values(hits: LesionHits, threshold: float, groups: Sequence[str], **options: Any) -> Named:
    def values(w: Array) -> Array:
        return np.stack(lesion_fractions(hits, threshold, w), axis=-1)

    return dict(zip(("LLF", "NLF"), _intervals(values, groups, **options), strict=True))


def _intervals(statistic: Callable[[Array], Array], groups: Sequence[str], **options: Any) -> list[IntervalValues]:
    return [interval.to_dict() for interval in bootstrap([[statistic]], lambda a: a, groups, **options)]
